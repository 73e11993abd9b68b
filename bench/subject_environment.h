/* subject_environment.h: the environment of a subject: ours with some variables set. */
#ifndef PF_BENCH_SUBJECT_ENVIRONMENT_H
#define PF_BENCH_SUBJECT_ENVIRONMENT_H

#include <stddef.h>

struct pf_error;

/*
 * A NULL-terminated environment: our own, with each "K=V" added or replaced (the
 * last of one name wins). The array is the caller's to free, its strings are
 * borrowed. PF_EUSAGE for a setting without a name or "=", PF_ENOMEM.
 */
int pf_environment_with(
    char ***environment, const char *const *settings, size_t count, struct pf_error *err);

#endif
