// What Linux offers beyond POSIX, which the Glibc module leaves out.
#pragma once
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

struct sockaddr;
extern int accept4(int, struct sockaddr *, unsigned int *, int);
extern int pthread_setname_np(pthread_t, const char *);

// prctl takes a variable number of arguments, which Swift cannot pass.
static inline void tollkey_forbid_dumps(void) { prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

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
