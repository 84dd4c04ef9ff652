;; Calls that take long, never end, or fail.
(module
  (func (export "forever")
    (loop $again
      (br $again)))

  (func (export "trap")
    unreachable)

  ;; Loops so many million rounds; answers how many million it did.
  (func (export "spin") (param $millions i32) (result i32)
    (local $done i32)
    (local $round i32)
    (block $finished
      (loop $million
        (br_if $finished (i32.ge_s (local.get $done) (local.get $millions)))
        (local.set $round (i32.const 1000000))
        (loop $next
          (local.set $round (i32.sub (local.get $round) (i32.const 1)))
          (br_if $next (local.get $round)))
        (local.set $done (i32.add (local.get $done) (i32.const 1)))
        (br $million)))
    (local.get $done)))
