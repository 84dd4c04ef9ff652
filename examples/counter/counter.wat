;; Counts: what one call leaves in the global, the next one finds.
(module
  (global $count (mut i32) (i32.const 0))

  (func $add (export "add") (param $amount i32) (result i32)
    (global.set $count (i32.add (global.get $count) (local.get $amount)))
    (global.get $count))

  (func (export "increment") (result i32)
    (call $add (i32.const 1)))

  (func (export "value") (result i32)
    (global.get $count)))
