/*
 * wait_profile.h: the sums of waits.h as profiles: mutex, block, threadcreate.
 */
#ifndef PF_AGENT_WAIT_PROFILE_H
#define PF_AGENT_WAIT_PROFILE_H

#include "collect/agent/moment.h"
#include "core/buffer.h"

/* NULL if waits are counted here, else a sentence that says why not. */
const char *pf_waits_why_not(void);

/* Drains the notes and copies the sums; 0 or -ENOMEM. */
int pf_waits_moment_take(struct pf_moment *moment);

/*
 * Write what there is, less `base` if it is not NULL, as profile.proto; 0 or
 * -ENOMEM. mutex: stacks that released a lock that others waited for, and what
 * that has cost them; block: stacks that have waited; threadcreate: stacks that
 * have created threads.
 */
int pf_mutex_write(const struct pf_moment *base, struct pf_buffer *out);
int pf_block_write(const struct pf_moment *base, struct pf_buffer *out);
int pf_threadcreate_write(const struct pf_moment *base, struct pf_buffer *out);

#endif
