/*
 * profuse/error.h: how every function of libprofuse fails.
 *
 * A function that can fail returns an enum pf_code as int (0 is success) and
 * fills the caller's struct pf_error with one full sentence: what failed,
 * where, why, and what to do next where we know. The library never prints,
 * exits or keeps an error anywhere else.
 */
#ifndef PROFUSE_ERROR_H
#define PROFUSE_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum pf_code {
	PF_OK = 0,
	PF_ENO = 1,           /* the answer asked for is no (a gate, a readiness demand) */
	PF_EUSAGE = 2,        /* wrong arguments or configuration */
	PF_EINPUT = 3,        /* read, but bad, empty or not matching */
	PF_EIO = 4,           /* could not be reached, read or written */
	PF_EINCONCLUSIVE = 5, /* measured, but not decided */
	PF_ENOMEM = 6,        /* an allocation failed, or a hard cap on memory was met */
};

struct pf_error {
	int code;           /* enum pf_code */
	char message[1000]; /* one sentence, NUL-terminated, no newline */
};

/* The exit status that stands for a code in the command's contract: 0-5. */
int pf_exit_code(int code);

/* The library's version, such as "0.1.0". */
const char *pf_version(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
