/*
 * profiles.h: the profiles that are counted all the time, and how they are asked for.
 *
 * As in Go: at once, what has been counted since the beginning; with seconds=N,
 * N seconds later, what has come in between; with debug=1, as text where there
 * is one.
 */
#ifndef PF_AGENT_PROFILES_H
#define PF_AGENT_PROFILES_H

#include "collect/agent/http.h"
#include "collect/agent/moment.h"

struct pf_profile_kind;

/* A profile that is due later. */
struct pf_pending {
	const struct pf_profile_kind *kind; /* NULL: the CPU profile */
	struct pf_moment base;
};

/* The kind of this name, or NULL. */
const struct pf_profile_kind *pf_profile_kind(const char *name);

/* Answers, or begins a difference: 0, or the seconds after which it is due. */
int pf_profile_answer(const struct pf_profile_kind *kind, const struct pf_request *request,
    struct pf_buffer *out, struct pf_pending *pending);
/* Answers it; without `out` forgets it. */
void pf_profile_finish(
    struct pf_pending *pending, const struct pf_request *request, struct pf_buffer *out);

/* Their lines of the index page. */
void pf_profile_list(struct pf_buffer *page);

/* A request's seconds; false: the answer is an error now. */
bool pf_profile_seconds(
    const struct pf_request *request, struct pf_buffer *out, int otherwise, int *seconds);

#endif
