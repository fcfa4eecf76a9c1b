# SPDX-License-Identifier: LGPL-2.1-or-later
"""What AEX_DEBUG in the environment adds."""

import unittest

import aextest


class Names(unittest.TestCase):
    def assert_prints(self, text, expected, debug="names"):
        done = aextest.run_script(text, env={"AEX_DEBUG": debug})
        self.assertEqual((done.stdout, done.returncode), (expected, 0), done.stderr)

    def test_function_and_place(self):
        self.assert_prints("""
            def work():
                return AsyncExec.current_pending().name

            async def steps():
                return AsyncExec.current_pending().name

            with AsyncExec.ThreadPool(1) as pool:
                print(pool.submit(work).name)
                print(pool.submit(steps).name)
                print(pool.options(priority=AsyncExec.Priority.HIGH).submit(work).name)
                print(pool.options(name="given").submit(work).name)
            with AsyncExec.Caller.new_thread("c") as caller:
                print(caller.call_later(0.001, work).name)
                print(caller.schedule_call(steps).name)
            """, "work at <string>:12\nsteps at <string>:13\nwork at <string>:14\ngiven\nwork at <string>:17\n"
                 "steps at <string>:18\n")

    def test_what_has_no_name_of_its_own(self):
        self.assert_prints("""
            import functools
            class Callable:
                def __call__(self): pass
            with AsyncExec.ThreadPool(1) as pool:
                print(pool.submit(functools.partial(print, end="")).name)
                print(pool.submit(Callable()).name)
                print(pool.submit(lambda: None).name)
            """, "print at <string>:9\nCallable at <string>:10\n<lambda> at <string>:11\n", debug="all")

    def test_options_stay_as_they_are(self):
        self.assert_prints("""
            def first(): pass
            def second(): pass
            with AsyncExec.ThreadPool(1) as pool:
                view = pool.options()
                print(view.submit(first).name)
                print(view.submit(second).name)
            """, "first at <string>:9\nsecond at <string>:10\n")

    def test_nothing_without_it(self):
        self.assert_prints("""
            with AsyncExec.ThreadPool(1) as pool:
                print(pool.submit(int).name)
            """, "None\n", debug="times")


if __name__ == "__main__":
    unittest.main()
