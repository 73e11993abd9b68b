/*
 * attach.h: a profile of processes that serve none.
 *
 * "pid:1234", several as "pid:1,2", "pid:-1" for the whole machine, "name:NAME" for
 * every process of that name, "cgroup:PATH" for a control group. The kernel
 * samples them (perf_event_open); nothing in them changes. Stacks are unwound
 * here, from a copy of each sampled stack, by the tables that C++ exceptions
 * use, or by frame pointers.
 */
#ifndef PF_COLLECT_ATTACH_H
#define PF_COLLECT_ATTACH_H

#include <profuse/collect.h>

/* Whether an address names processes instead of a URL. */
bool pf_attach_is(const char *address);

/* Does what pf_collect() does, for such an address; *collected is zeroed. */
int pf_attach(struct pf_collected *collected, const char *address,
    const struct pf_collect_options *options, struct pf_error *err);

#endif
