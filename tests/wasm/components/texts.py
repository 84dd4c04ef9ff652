"""Components in text form that do what the tests are about."""

from tests.component_texts import LIFT

# Keeps a count, and does what functions should not do.
MISCHIEF = f"""(component
  (core module $code
    (memory (export "memory") 1)
    (global $count (mut i32) (i32.const 0))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "count") (result i32)
      (global.set $count (i32.add (global.get $count) (i32.const 1))) (global.get $count))
    (func (export "forever") (loop (br 0)))
    (func (export "trap") unreachable)
    (func $deep (export "deep") (call $deep))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "fill") (param i32) (result i32)
      (drop (memory.grow (i32.const 900)))
      (i32.store (i32.const 8) (i32.const 0)) (i32.store (i32.const 12) (local.get 0)) (i32.const 8))
    (func (export "wild") (result i32)
      (i32.store (i32.const 8) (i32.const 0x7fffffff)) (i32.store (i32.const 12) (i32.const 9))
      (i32.const 8))
    (func (export "garbled") (result i32)
      (i32.store (i32.const 16) (i32.const 0xffffffff))
      (i32.store (i32.const 8) (i32.const 16)) (i32.store (i32.const 12) (i32.const 4))
      (i32.const 8))
    (func (export "decide") (param i32) (result i32)
      (i32.store8 (i32.const 8) (i32.ne (local.get 0) (i32.const 0)))
      (i32.store8 (i32.const 9) (local.get 0)) (i32.const 8)))
  (core instance $core (instantiate $code))
  (type $reason (enum "none" "tired" "busy"))
  (export $why "why" (type $reason))
  (func $count (result u32) (canon lift (core func $core "count")))
  (func (export "forever") (canon lift (core func $core "forever")))
  (func (export "trap") (canon lift (core func $core "trap")))
  (func (export "deep") (canon lift (core func $core "deep")))
  (func (export "grow") (param "pages" u32) (result s32) (canon lift (core func $core "grow")))
  (func (export "fill") (param "bytes" u32) (result (list u8)) {LIFT.format("fill")})
  (func (export "wild") (result string) {LIFT.format("wild")})
  (func (export "garbled") (result string) {LIFT.format("garbled")})
  (func (export "decide") (param "why" u8) (result (result (error $why)))
    {LIFT.format("decide")})
  (instance $calls (export "count" (func $count)))
  (export "test:mischief/calls@1.0.0" (instance $calls)))
"""

# Sleeps in a function of WASI, which the engine cannot interrupt.
SLEEPER = """(component
  (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $outer)) (export "pollable" (type $own (eq $outer)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $own))))))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core module $code
    (import "host" "block" (func $block (param i32)))
    (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
    (func (export "sleep") (param i64) (call $block (call $subscribe (local.get 0)))))
  (core instance $core (instantiate $code (with "host" (instance
    (export "block" (func $block)) (export "subscribe" (func $subscribe))))))
  (func (export "sleep") (param "nanoseconds" u64) (canon lift (core func $core "sleep"))))
"""

# Writes to its standard output through WASI.
WRITER = """(component
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $failure))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $stream (sub resource)))
    (alias outer 1 $failure (type $outer)) (export "error" (type $error (eq $outer)))
    (type $v (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $problem (eq $v)))
    (export "[method]output-stream.blocking-write-and-flush" (func (param "self" (borrow $stream))
      (param "contents" (list u8)) (result (result (error $problem)))))))
  (alias export $streams "output-stream" (type $stream))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $stream (type $outer)) (export "output-stream" (type $own (eq $outer)))
    (export "get-stdout" (func (result (own $own))))))
  (core module $memory (memory (export "memory") 1) (data (i32.const 0) "hello"))
  (core instance $memory (instantiate $memory))
  (core func $get (canon lower (func $stdout "get-stdout")))
  (core func $write (canon lower
    (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory (core memory $memory "memory"))))
  (core module $code
    (import "host" "get" (func $get (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (func (export "write") (param i32)
      (call $write (call $get) (i32.const 0) (local.get 0) (i32.const 64))))
  (core instance $core (instantiate $code (with "host" (instance
    (export "get" (func $get)) (export "write" (func $write))))))
  (func (export "write") (param "bytes" u32) (canon lift (core func $core "write"))))
"""
