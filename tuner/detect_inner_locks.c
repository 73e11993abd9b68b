/*
 * detect_inner_locks.c: time lost at locks that the C library has inside: of a FILE, of the time zone, of its lists.
 *
 * No function of the program takes them, so they are in no profile of waits; but who waits for one sleeps below the
 * function that was called, where the agent's wall-clock profile shows it. Locks of the allocator
 * are detect_arenas.c's, and those that the program asks for itself detect_locks.c's.
 */
#include "tuner/detect.h"

#include <math.h>
#include <string.h>

#include "tuner/locks.h"

#define SOME 0.5 /* threads that wait on average */
#define MANY 4.0

/*
 * Between the lock and the service's own code lies what the library does: where the lock is next to that code, or to
 * C++'s wrappers of it, the service has taken it.
 */
bool
pf_waits_inside(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	size_t own = pf_stack_own(s, ep), i = own;
	const char *next;

	if (own == s->count || (s->traits & PF_CODE_CHANNEL) || pf_stack_in_allocator(s, ep))
		return false;
	while (i && !(ep->traits[s->names[i - 1]] & PF_CODE_LOCK))
		i--;
	if (!i || i == own)
		return false;
	next = pf_site_name(ep, s->names[i]);
	return strncmp(next, "std::", 5) != 0 && strncmp(next, "[libstdc++", 10) != 0;
}

/* What the wall-clock profile says of them. */
struct inner {
	const struct pf_evidence_profile *ep;
	struct pf_sites waiting; /* nanoseconds, by who called the library */
	const char *function;    /* of the library, by the heaviest; "" unknown */
	double looks;
};

/* As the program calls it: "__GI_mktime" is mktime. */
static const char *
plain_name(const char *name)
{
	if (strncmp(name, "__GI_", 5) == 0)
		name += 5;
	return strncmp(name, "__cxa", 5) == 0 ? name : name + strspn(name, "_");
}

static int
read_wall(struct inner *w, struct pf_error *err)
{
	uint32_t count = pf_profile_find_type(w->ep->p, "samples");
	uint32_t time = pf_profile_find_type(w->ep->p, "wall");
	struct pf_stack s = {0};
	size_t own;
	int rc = 0;

	for (size_t i = 0; !rc && time != PF_NONE && i < w->ep->p->sample_count; i++) {
		/* Who has been woken, and has no processor yet, waits for that. */
		if (strcmp(pf_sample_text(w->ep->p, i, "wait"), "futex") != 0)
			continue;
		rc = pf_stack_read(&s, w->ep, i, err);
		if (rc || !pf_waits_inside(&s, w->ep))
			continue;
		w->looks += count == PF_NONE ? 1 : pf_value(w->ep, i, count);
		rc = pf_sites_add(
		    &w->waiting, pf_stack_owner(&s, w->ep), pf_value(w->ep, i, time), 1, i, err);
	}
	pf_sites_sort(&w->waiting);
	w->function = "";
	if (!rc && w->waiting.count) {
		rc = pf_stack_read(&s, w->ep, w->waiting.items[0].sample, err);
		own = rc ? 0 : pf_stack_own(&s, w->ep);
		w->function = own ? plain_name(pf_site_name(w->ep, s.names[own - 1])) : "";
	}
	pf_stack_release(&s);
	return rc;
}

static bool
has_any(const char *function, const char *const *parts)
{
	for (; *parts; parts++) {
		if (strstr(function, *parts))
			return true;
	}
	return false;
}

static uint32_t
action_of(struct pf_findings *f, const char *function, const char *owner)
{
	static const char *const times[] = {"time", "tz_convert", "tzset", NULL},
				 *const throws[] = {"cxa_throw", "cxa_rethrow", "Unwind", NULL},
				 *const files[] = {"print", "fwrite", "fput", "putc", "puts",
				     "fflush", "fread", "fget", "getc", "IO_", NULL};

	if (has_any(function, times))
		return pf_say(f,
		    "The C library has one lock for the time zone, in all functions of local time, "
		    "and in gmtime_r and timegm too: call them from %s once a second and keep by "
		    "thread what they gave, or divide UTC by yourself (C++20's calendar does). Set "
		    "TZ (TZ=:/etc/localtime): without it localtime and mktime look under the lock "
		    "whether /etc/localtime has changed.",
		    owner);
	if (has_any(function, throws))
		return pf_say(f,
		    "An exception takes the dynamic loader's lock at each frame that it passes "
		    "(glibc before 2.35, gcc before 13): let %s return what is no exception in "
		    "another way.",
		    owner);
	if (has_any(function, files))
		return pf_say(f,
		    "Each FILE has a lock, held while its buffer is written: whoever reads the "
		    "other end slowly holds up all who use it. Let one thread write what others "
		    "put into a queue (and drop, and count, what there is no room for), or give "
		    "the FILE a larger buffer and don't flush each line in %s.",
		    owner);
	return pf_say(f,
	    "Call what takes the lock less often in %s, from fewer threads, or with state of each "
	    "thread's own where the library has such a function.",
	    owner);
}

static void
advise(struct pf_findings *f, const char *function, const char *owner)
{
	pf_add_advice(f, (struct pf_advice){.action = action_of(f, function, owner)});
	pf_add_measurement(f, "p99", "seconds",
	    pf_say(f, "profuse bench --before CMD --after CMD --load URL --rate N, at the rate of "
		      "production"));
}

static int
report(struct pf_findings *f, const struct inner *w, double waiting, struct pf_error *err)
{
	const char *owner = pf_site_name(w->ep, w->waiting.items[0].name);
	bool named = *w->function && *w->function != '[' && *w->function != '(';

	pf_findings_add(f, "lock-contention",
	    waiting >= MANY ? PF_SEVERITY_HIGH
	    : waiting >= 1  ? PF_SEVERITY_MEDIUM
			    : PF_SEVERITY_LOW,
	    PF_CONFIDENCE_MEDIUM,
	    pf_say(f,
		"%.2g threads wait on average for a lock that the C library has inside%s%s, most "
		"of them called from %s",
		waiting, named ? ", in " : "", named ? w->function : "", owner));
	pf_add_number(f, "waiting_on_average", waiting, "threads");
	pf_add_number(f, "share_of_waiting", w->waiting.items[0].value / w->waiting.total, "share");
	if (waiting < 1)
		pf_add_caveat(f, PF_CONFIDENCE_LOW,
		    pf_say(f,
			"On average %.2g threads wait. Where the machine is busy with other "
			"programs, a lock that is held for microseconds makes others wait as long "
			"when its holder loses the processor.",
			waiting));
	advise(f, w->function, owner);
	return pf_show_sites(f, w->ep, &w->waiting, 3, "nanoseconds", err);
}

int
pf_detect_inner_locks(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	struct inner w = {.ep = pf_evidence_last(e, PF_PROFILE_WALL)};
	double seconds = w.ep ? (double)pf_profile_duration_nanos(w.ep->p) / 1e9 : 0, waiting;
	int rc;

	if (!(seconds > 0))
		return 0;
	rc = read_wall(&w, err);
	waiting = w.waiting.total / 1e9 / seconds;
	if (!rc && w.waiting.count && waiting >= SOME && w.looks >= PF_LEAST_SAMPLES)
		rc = report(f, &w, waiting, err);
	pf_sites_release(&w.waiting);
	return rc;
}
