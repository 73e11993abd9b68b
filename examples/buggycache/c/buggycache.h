/* buggycache.h: the handlers of BuggyCache in C: each bug and its fix. */
#ifndef BUGGYCACHE_H
#define BUGGYCACHE_H

#include "../../lib/server.h"

char *fib_handler(const struct request *r);
char *quick_fib_handler(const struct request *r);

char *memory_leak_handler(const struct request *r);
char *bounded_cache_handler(const struct request *r);

char *thread_leak_handler(const struct request *r);
char *ended_thread_handler(const struct request *r);

char *deadlock_handler(const struct request *r);
char *single_lock_handler(const struct request *r);

char *slow_json_handler(const struct request *r);
char *fast_json_handler(const struct request *r);

#endif
