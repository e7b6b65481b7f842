# SPDX-License-Identifier: MIT
"""Run test functions of one file on a MicroPython VM; the collector in conftest.py starts it.

    micropython run_on_micropython.py FOLDER MODULE TEST...

Each test ends in one line on stdout: the mark, the name, `ok` or `failed`. A failure's traceback
stands before its line. Everything else on stdout is the test's own printing.
"""

import sys

MARK = "\x1f"


def main(folder, module_name, names):
    sys.path.insert(0, folder)
    module = __import__(module_name)
    for name in names:
        print(MARK + "begin " + name)
        try:
            getattr(module, name)()
        except Exception as error:
            sys.print_exception(error)
            print(MARK + "failed " + name)
        else:
            print(MARK + "ok " + name)


main(sys.argv[1], sys.argv[2], sys.argv[3:])
