// Whether something is in sight, or nearly.
const MARGIN = "200px";

/** Calls `tell` with it, now and when it changes; returns what ends that. */
export function watchVisible(element, tell) {
  const observer = new IntersectionObserver((seen) => tell(seen.at(-1).isIntersecting), {
    rootMargin: MARGIN,
  });
  observer.observe(element);
  return () => observer.disconnect();
}
