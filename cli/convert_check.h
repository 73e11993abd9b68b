/* convert_check.h: llvm-profdata's own opinion about a profile. */
#ifndef CLI_CONVERT_CHECK_H
#define CLI_CONVERT_CHECK_H

#include <stddef.h>

struct pf_error;

/*
 * Lets llvm-profdata read the bytes of a profile (through a temporary file).
 * `command` NULL: PROFUSE_LLVM_PROFDATA, else llvm-profdata-19, else
 * llvm-profdata. PF_EIO if none can be run; PF_EINPUT, with its words, if it
 * refuses the profile.
 */
int cli_check_profile(const char *command, const void *bytes, size_t size, struct pf_error *err);

#endif
