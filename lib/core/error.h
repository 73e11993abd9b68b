/*
 * error.h: filling in a struct pf_error; see profuse/error.h for the contract.
 *
 * `err` may be NULL everywhere: a caller that only wants the code passes none.
 */
#ifndef PF_CORE_ERROR_H
#define PF_CORE_ERROR_H

#include <profuse/error.h>

/* Stores code and sentence; returns code, so that `return pf_error_set(…)` reads well. */
int pf_error_set(struct pf_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "<context>: " before the message already there; returns the code already there. */
int pf_error_prefix(struct pf_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* PF_ENOMEM with the standard sentence. */
int pf_error_nomem(struct pf_error *err);

/* PF_EIO "<what> <path>: <strerror(errno)>"; errno is read before anything else happens. */
int pf_error_errno(struct pf_error *err, const char *what, const char *path);

#endif
