"""Runs a program and stands at each of its system calls, to end it there, to refuse them, or to write them down.

    steps.py PLAN PROGRAM ARGUMENT…

PLAN is a file with JSON. It is read before the program's first system call, and again at SIGUSR1; each reading is
answered by lines in PLAN.out, `{"entered": calls since the one before, "refused": of these}` and `{"read": true}`, and
the program's end by the first of them. Members, all optional; with `{}` it runs freely:

    kill     n: SIGKILL when the nth system call from here on is entered, which it then does not perform
    refuse   {"calls": [names], "error": number, "under": folder, "from": n}: from the nth on, each such call on a file
             of the folder answers that error and does nothing
    count    anything: count system calls
    record   a file that gets each change of the folder `under`, one JSON a line

The program is its child, so that nobody needs to be root to end it; what a program that forbids dumps has open, and
what it writes, is root's to see, so that `refuse` and `record` need it. It ends with the program, and the program with
it.
"""

import ctypes
import json
import os
import platform
import signal
import struct
import sys
import time

SEIZE, INTERRUPT, LISTEN, CONTINUE, SYSCALL, SYSCALL_INFO = 0x4206, 0x4207, 0x4208, 7, 24, 0x420E
GET_REGISTERS, SET_REGISTERS = 12, 13
# TRACESYSGOOD, TRACEFORK, TRACEVFORK, TRACECLONE, TRACEEXEC, EXITKILL
OPTIONS = 1 | 2 | 4 | 8 | 16 | 0x100000
EVENT_EXEC, EVENT_STOP = 4, 128
WALL = 0x40000000
PASSED_ON = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
STOPPING = {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}

# What is said of a call in words; any other has its number.
NAMES = {
    "x86_64": {
        0: "read", 1: "write", 3: "close", 4: "stat", 5: "fstat", 6: "lstat", 7: "poll", 8: "lseek", 9: "mmap",
        11: "munmap", 13: "rt_sigaction", 14: "rt_sigprocmask", 16: "ioctl", 39: "getpid", 51: "getsockname",
        52: "getpeername", 54: "setsockopt", 55: "getsockopt", 102: "getuid", 107: "geteuid", 186: "gettid",
        17: "pread64", 18: "pwrite64", 20: "writev",
        41: "socket", 42: "connect", 44: "sendto", 45: "recvfrom", 46: "sendmsg", 72: "fcntl", 73: "flock", 74: "fsync",
        75: "fdatasync", 77: "ftruncate", 82: "rename", 83: "mkdir", 87: "unlink", 202: "futex", 232: "epoll_wait",
        257: "openat", 258: "mkdirat", 262: "newfstatat", 263: "unlinkat", 264: "renameat", 285: "fallocate",
        316: "renameat2",
    },
    "aarch64": {
        25: "fcntl", 32: "flock", 34: "mkdirat", 35: "unlinkat", 38: "renameat", 46: "ftruncate", 47: "fallocate",
        56: "openat", 57: "close", 62: "lseek", 63: "read", 64: "write", 66: "writev", 67: "pread64", 68: "pwrite64",
        79: "newfstatat", 82: "fsync", 83: "fdatasync", 98: "futex", 198: "socket", 203: "connect", 206: "sendto",
        207: "recvfrom", 211: "sendmsg", 222: "mmap", 276: "renameat2",
    },
}.get(platform.machine(), {})
# Where x86-64 keeps a call's number and its answer, of 27 registers.
RESULT, NUMBER = 10, 15
REGISTERS = 27 * 8

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(request, tid, address=0, data=0):
    """False when the thread has gone meanwhile, which SIGKILL may do at any moment."""
    return libc.ptrace(request, tid, address, data) >= 0


class Steps:
    def __init__(self, plan, arguments):
        self.plan_file = plan
        self.out = open(f"{plan}.out", "a", encoding="ascii", buffering=1)
        self.threads = set()
        self.entered = {}
        self.info = ctypes.create_string_buffer(88)
        self.registers = ctypes.create_string_buffer(REGISTERS)
        self.plan, self.is_stepping, self.count, self.refused = {}, False, 0, 0
        self.log = None
        go, tell = os.pipe()
        self.child = os.fork()
        if self.child == 0:
            os.close(tell)
            os.read(go, 1)
            os.close(go)
            os.execv(arguments[0], arguments)
        os.close(go)
        if not ptrace(SEIZE, self.child, 0, OPTIONS):
            sys.exit(f"ptrace: {os.strerror(ctypes.get_errno())}")
        self.say(child=self.child)
        os.close(tell)

    def read_plan(self):
        with open(self.plan_file, encoding="ascii") as file:
            self.plan = json.load(file)
        self.say(entered=self.count, refused=self.refused)
        self.count, self.matched, self.refused, self.seen = 0, 0, 0, {}
        self.is_stepping = bool(self.plan)
        self.refuse = self.plan.get("refuse")
        if "record" in self.plan:
            self.log = open(self.plan["record"], "a", encoding="ascii", buffering=1)
        self.say(read=True)

    def say(self, **words):
        self.out.write(json.dumps(words) + "\n")

    def asked(self):
        self.read_plan()
        for tid in self.threads:
            ptrace(INTERRUPT, tid)

    def run(self):
        """Answers how the program ended, as wait(2) says it."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGUSR1, *PASSED_ON})
        while True:
            tid, status = os.waitpid(-1, WALL | os.WNOHANG)
            if tid == 0:
                # Not by handlers: one that ran just before a wait would not end it.
                number = signal.sigwaitinfo({signal.SIGCHLD, signal.SIGUSR1, *PASSED_ON}).si_signo
                if number == signal.SIGUSR1:
                    self.asked()
                elif number != signal.SIGCHLD:
                    os.kill(self.child, number)
            elif os.WIFSTOPPED(status):
                self.threads.add(tid)
                self.stopped(tid, os.WSTOPSIG(status), status >> 16)
            else:
                self.threads.discard(tid)
                if tid == self.child:
                    self.say(entered=self.count, refused=self.refused)
                    return status

    def stopped(self, tid, number, event):
        deliver = 0
        if number == signal.SIGTRAP | 0x80:
            self.at_call(tid)
        elif event == EVENT_STOP and number in STOPPING:
            ptrace(LISTEN, tid)
            return
        elif event == EVENT_EXEC:
            self.read_plan()
        elif event == 0:
            deliver = number
        ptrace(SYSCALL if self.is_stepping else CONTINUE, tid, 0, deliver)

    def at_call(self, tid):
        size = libc.ptrace(SYSCALL_INFO, tid, len(self.info), ctypes.addressof(self.info))
        if size <= 0:
            return
        kind = self.info.raw[0]
        if kind == 1:
            number, *arguments = struct.unpack_from("<Q6Q", self.info.raw, 24)
            self.enters(tid, NAMES.get(number, str(number)), arguments)
        elif kind == 2:
            answer, = struct.unpack_from("<q", self.info.raw, 24)
            self.leaves(tid, answer)

    def enters(self, tid, name, arguments):
        self.count += 1
        if self.count == self.plan.get("kill"):
            # Said first: who sees it dead looks here at once.
            self.say(killed=name, count=self.count, before=self.seen)
            os.kill(self.child, signal.SIGKILL)
            return
        self.seen[name] = self.seen.get(name, 0) + 1
        path = None
        if self.refuse and name in self.refuse["calls"]:
            path = self.path(tid, name, arguments)
            if path and path.startswith(self.refuse["under"]):
                self.matched += 1
                if self.matched >= self.refuse.get("from", 1) and self.drop(tid):
                    self.refused += 1
                    self.entered[tid] = ("refused", None, None)
                    return
        if self.log and name in CHANGES:
            self.entered[tid] = (name, arguments, path or self.path(tid, name, arguments))

    def leaves(self, tid, answer):
        name, arguments, path = self.entered.pop(tid, (None, None, None))
        if name == "refused":
            self.answer(tid, -self.refuse["error"] if self.refuse else -5)
        elif name and answer >= 0 and path and path.startswith(self.plan.get("under", "/nowhere")):
            self.note(tid, name, arguments, path, answer)

    def path(self, tid, name, arguments):
        """Of the file that a call is about."""
        try:
            if name in BY_PATH:
                return self.text(tid, arguments[BY_PATH[name]])
            return os.readlink(f"/proc/{tid}/fd/{arguments[0]}")
        except OSError:
            return None

    def memory(self, tid, address, count):
        with open(f"/proc/{tid}/mem", "rb", buffering=0) as memory:
            memory.seek(address)
            return memory.read(count)

    def text(self, tid, address):
        found = b""
        while b"\0" not in found and len(found) < 4096:
            # A page at a time: the next one may not be there.
            found += self.memory(tid, address + len(found), 4096 - (address + len(found)) % 4096)
        return os.fsdecode(found.split(b"\0")[0])

    def drop(self, tid):
        return platform.machine() == "x86_64" and self.set_register(tid, NUMBER, -1)

    def answer(self, tid, value):
        self.set_register(tid, RESULT, value)

    def set_register(self, tid, index, value):
        if not ptrace(GET_REGISTERS, tid, 0, ctypes.addressof(self.registers)):
            return False
        struct.pack_into("<q", self.registers, index * 8, value)
        return ptrace(SET_REGISTERS, tid, 0, ctypes.addressof(self.registers))

    def note(self, tid, name, arguments, path, answer):
        entry = {"at": time.monotonic(), "call": name, "path": path}
        if name in ("pwrite64", "write"):
            entry["bytes"] = self.memory(tid, arguments[1], answer).hex()
            entry["offset"] = arguments[3] if name == "pwrite64" else None
        elif name == "ftruncate":
            entry["size"] = arguments[1]
        elif name == "openat":
            entry["flags"] = arguments[2]
        elif name in ("rename", "renameat", "renameat2"):
            entry["to"] = self.text(tid, arguments[1 if name == "rename" else 3])
        self.log.write(json.dumps(entry) + "\n")


BY_PATH = {
    "openat": 1, "rename": 0, "renameat": 1, "renameat2": 1, "unlink": 0, "unlinkat": 1, "mkdir": 0, "mkdirat": 1,
}
CHANGES = {
    "pwrite64", "write", "ftruncate", "fsync", "fdatasync", "openat", "rename", "renameat", "renameat2", "unlink",
    "unlinkat", "mkdir", "mkdirat", "fallocate",
}


def main():
    steps = Steps(sys.argv[1], sys.argv[2:])
    status = steps.run()
    if os.WIFSIGNALED(status):
        # As if it had been the program; what was asked of it meanwhile asks nobody any more.
        os.kill(os.getpid(), os.WTERMSIG(status))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {os.WTERMSIG(status)})
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
