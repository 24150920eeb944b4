// What Linux offers beyond POSIX, which the Glibc module leaves out.
#pragma once
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

struct sockaddr;
extern int accept4(int, struct sockaddr *, unsigned int *, int);
extern int pthread_setname_np(pthread_t, const char *);

// prctl takes a variable number of arguments, which Swift cannot pass.
static inline void tollkey_forbid_dumps(void) { prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

// Where the Swift toolchain is installed, its runtime has handlers for these: they start a program that reads this
// process's memory and prints some of it, registers first, on standard error, which is the log. And the process does
// not end before that has, with all of its clients waiting.
static inline void tollkey_end_at_crash(void) {
    const int crashes[] = {SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV};
    for (unsigned index = 0; index < sizeof crashes / sizeof *crashes; index++) signal(crashes[index], SIG_DFL);
}

// glibc makes recv and send points where a thread can be cancelled, which costs four atomic operations for each request.
// Nothing here is cancelled. Both as their namesakes: a count, or -1 and errno. Sanitizers look at calls of the namesakes.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
extern long recv(int, void *, unsigned long, int);
extern long send(int, const void *, unsigned long, int);
static inline long tollkey_recv(int descriptor, void *bytes, unsigned long count) {
    return recv(descriptor, bytes, count, 0);
}
static inline long tollkey_send(int descriptor, const void *bytes, unsigned long count, int flags) {
    return send(descriptor, bytes, count, flags);
}
#else
extern long syscall(long, ...);
static inline long tollkey_recv(int descriptor, void *bytes, unsigned long count) {
    return syscall(SYS_recvfrom, descriptor, bytes, count, 0, (void *)0, (void *)0);
}
static inline long tollkey_send(int descriptor, const void *bytes, unsigned long count, int flags) {
    return syscall(SYS_sendto, descriptor, bytes, count, flags, (void *)0, 0);
}
#endif

// To Swift, flock is the struct of that name; <sys/file.h> would take other structs away from the Glibc module.
// LOCK_EX | LOCK_NB, the same on all of Linux: 0, or -1 and errno.
extern int flock(int, int);
static inline int tollkey_try_flock(int descriptor) { return flock(descriptor, 2 | 4); }

// As struct ucred, which the headers show under _GNU_SOURCE only; that would change other types of theirs.
struct tollkey_peer { int pid; unsigned int uid; unsigned int gid; };

static const unsigned int tollkey_EPOLLIN = EPOLLIN;
static const unsigned int tollkey_EPOLLOUT = EPOLLOUT;
static const unsigned int tollkey_EPOLLRDHUP = EPOLLRDHUP;
static const unsigned int tollkey_EPOLLHUP = EPOLLHUP;
static const unsigned int tollkey_EPOLLERR = EPOLLERR;
static const unsigned int tollkey_EPOLLET = EPOLLET;
static const int tollkey_EPOLL_CLOEXEC = EPOLL_CLOEXEC;
static const int tollkey_EFD_CLOEXEC = EFD_CLOEXEC;
static const int tollkey_EFD_NONBLOCK = EFD_NONBLOCK;
static const int tollkey_EFD_SEMAPHORE = EFD_SEMAPHORE;
static const int tollkey_IN_CLOEXEC = IN_CLOEXEC;
static const int tollkey_IN_NONBLOCK = IN_NONBLOCK;
static const unsigned int tollkey_IN_ONLYDIR = IN_ONLYDIR;
