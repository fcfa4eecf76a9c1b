// SPDX-License-Identifier: LGPL-2.1-or-later
// The part of tests/lib that the tests in Vala use: TAP, a watchdog for each
// test, and a census of objects, threads and file descriptors after it.

[CCode (cheader_filename = "lib/aex-test.h")]
namespace AexTest {
	[CCode (cname = "AexTestFunc", has_target = false)]
	public delegate void Func ();
	[CCode (cname = "aex_test_init")]
	public void init ([CCode (array_length_pos = 0.9)] ref unowned string[] args);
	[CCode (cname = "aex_test_add")]
	public void add (string path, Func func);
	[CCode (cname = "aex_test_run")]
	public int run ();
	[CCode (cname = "aex_test_run_until_done")]
	public void run_until_done (AsyncExec.Pending pending);
	[CCode (cname = "aex_test_virtual_time")]
	public void virtual_time ();
	[CCode (cname = "aex_clock_advance")]
	public void advance (int64 by_us);
	[CCode (cname = "aex_test_shutdown")]
	public void shutdown (owned AsyncExec.Executor executor);
	[CCode (cname = "aex_test_is_on")]
	public bool is_on (AsyncExec.Executor executor);

	[CCode (cname = "AexGate", has_type_id = false, has_copy_function = false, has_destroy_function = true, destroy_function = "aex_gate_clear")]
	public struct Gate {
		[CCode (cname = "aex_gate_init")]
		public Gate ();
		[CCode (cname = "aex_gate_open")]
		public void open ();
		[CCode (cname = "aex_gate_wait")]
		public void wait ();
	}
}
