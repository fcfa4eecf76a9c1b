// SPDX-License-Identifier: LGPL-2.1-or-later

int main () {
    try {
        var executor = AsyncExec.Executor.get_default ();
        var pending = executor.submit ((job, cancellable) => {
            job.resolve_string ("forty-two");
            return true;
        });
        pending.wait (AsyncExec.WaitFlags.NONE, -1, null);
        return pending.dup_value ().get_string () == "forty-two" ? 0 : 1;
    } catch (Error e) {
        stderr.printf ("%s\n", e.message);
        return 1;
    }
}
