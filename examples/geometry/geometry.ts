// Functions of floating-point numbers, in both widths.

/** The longest side of a right triangle whose other sides are `a` and `b`. */
export function hypotenuse(a: f64, b: f64): f64 {
  return Math.sqrt(a * a + b * b);
}

/** The area of a circle. */
export function area(radius: f64): f64 {
  return Math.PI * radius * radius;
}

export function celsius_to_fahrenheit(celsius: f32): f32 {
  return celsius * 1.8 + 32;
}
