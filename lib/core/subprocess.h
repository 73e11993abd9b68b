/*
 * subprocess.h: another program, run to its end.
 */
#ifndef PF_CORE_SUBPROCESS_H
#define PF_CORE_SUBPROCESS_H

#include "core/buffer.h"

/*
 * Runs argv[0] (searched on PATH; argv ends with NULL) with an empty standard
 * input, and appends what it prints, on both outputs, to `output`: as much as
 * output->maximum allows, the rest is read and dropped (output->failed then
 * stays clear). *status is the exit status, or 128 plus the signal that ended
 * it. PF_EIO if it could not be started, with *status 127.
 */
int pf_subprocess_run(
    const char *const *argv, struct pf_buffer *output, int *status, struct pf_error *err);

#endif
