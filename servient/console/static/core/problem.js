// What went wrong, in the servient's words (RFC 9457) where it has any.
export class Problem extends Error {
  constructor({ title = "Failed", detail = "", status = 0, errors = [] }) {
    super(detail || title);
    this.title = String(title);
    this.detail = String(detail);
    this.status = status;
    this.errors = Array.isArray(errors) ? errors : [];
  }

  static ofBody(status, text) {
    try {
      const body = JSON.parse(text);
      if (body && typeof body === "object") return new Problem({ ...body, status });
    } catch {
      // Not the servient's: a proxy's, perhaps.
    }
    return new Problem({ title: `HTTP ${status}`, detail: text.slice(0, 300), status });
  }

  static of(error) {
    if (error instanceof Problem) return error;
    return new Problem({ title: "The page failed", detail: String(error?.message ?? error) });
  }

  static unreachable() {
    return new Problem({ title: "No answer", detail: "The servient cannot be reached." });
  }
}
