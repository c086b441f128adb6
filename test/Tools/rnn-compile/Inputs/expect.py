"""expect.py <exit code> <command>…: runs a command, passes its output on, and fails unless it ends with that code."""

import subprocess
import sys

done = subprocess.run(sys.argv[2:])
if done.returncode != int(sys.argv[1]):
    sys.exit(f"exit code {done.returncode}, expected {sys.argv[1]}")
