/*
 * sampler.h: sampling while somebody wants it, and nothing otherwise.
 *
 * A window is one profile in the making; up to PF_WINDOWS may overlap (a request
 * over HTTP, and the files of PROFUSE_OUT). The first window to open arms the
 * threads, the last to close disarms them and frees everything; in between
 * pf_sampler_tick must be called when it says. One thread at a time.
 */
#ifndef PF_AGENT_SAMPLER_H
#define PF_AGENT_SAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "collect/agent/event.h"
#include "core/buffer.h"

enum pf_window { PF_WINDOW_HTTP, PF_WINDOW_FILE, PF_WINDOWS };

/*
 * Opens a window. 0; -EALREADY if it is open; or why sampling can't start:
 * -EBUSY (no free signal), -ENOMEM, -EIO.
 */
int pf_sampler_open(enum pf_window window, struct pf_event_wish wish);

/* Says which thread is the agent's own, which is never sampled. */
void pf_sampler_except(pid_t agent);

/* Drains samples, follows threads and modules; returns when to do so again. */
int64_t pf_sampler_tick(int64_t now);

/*
 * Closes a window and writes its profile (profile.proto, not compressed) into
 * `out`, unless out is NULL. 0, -EINVAL (not open) or -ENOMEM.
 */
int pf_sampler_close(enum pf_window window, struct pf_buffer *out);

/* Whether any window is open. */
bool pf_sampler_running(void);

/* In a forked child: no timers, no windows, no memory of the parent's. `tidy`: it was consistent. */
void pf_sampler_forked(bool tidy);

/* What would be or is used, for the index page. */
void pf_sampler_describe(struct pf_event_wish wish, struct pf_event *event);

#endif
