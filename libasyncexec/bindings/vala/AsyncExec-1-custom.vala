// SPDX-License-Identifier: LGPL-2.1-or-later
// What the metadata cannot say.

namespace AsyncExec {
	public abstract class Executor : GLib.Object {
		// The scanner takes it for a method of the executor, which could not be null then.
		[CCode (cname = "aex_executor_set_default")]
		[Version (since = "1.0")]
		public static void set_default (AsyncExec.Executor? executor);
	}
}
