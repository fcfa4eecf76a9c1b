#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where this python looks for modules installed below a prefix.

usage: python-dir.py PREFIX

Debian's python3 sees /usr/lib/python3/dist-packages and, below /usr/local, only
the folder of its own version, which is not the one that sysconfig names.
"""

import os
import site
import sys
import sysconfig


def module_dir(prefix):
    for folder in site.getsitepackages():
        if os.path.relpath(folder, prefix).startswith("lib" + os.sep):
            return folder
    # Nothing below this prefix is looked at: as in a virtual environment.
    scheme = "posix_prefix"
    return sysconfig.get_path("purelib", scheme, vars={"base": prefix})


if __name__ == "__main__":
    print(module_dir(os.path.normpath(sys.argv[1])))
