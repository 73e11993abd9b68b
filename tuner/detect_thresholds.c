/*
 * detect_thresholds.c: sizes that glibc's caches and thresholds do not fit: big
 * blocks that go to the kernel and back, and blocks just too big for the
 * caches of threads; and blocks that one thread allocates and another frees.
 */
#include "tuner/detect.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tuner/sampling.h"
#include "tuner/sites.h"

enum {
	TCACHE_MAX =
	    1032, /* glibc: blocks beyond are not cached per thread, unless 2.42 is told to */
	MANY_ALLOCATIONS = 1000000, /* a tenth of a second of CPU, perhaps */
	FIRST_THRESHOLD =
	    128 << 10, /* glibc: from here on blocks are mapped, until it is set or grows */
	MOST_THRESHOLD = 32 << 20, /* what it can be set to, and grow to, on 64 bits */
};

#define MOSTLY_BEYOND 0.5 /* of bytes in big blocks: no threshold is above them */
#define MOSTLY_BLOCKS 0.5 /* of what goes back: by blocks of their own */
#define GIVEN_BACK 0.2 /* of the time spent mapping: to unmap costs as much as to map, and more */
#define GIVEN_BACK_HARDLY \
	0.03 /* the same where pages are touched in malloc itself: a heap that only grows has none */
#define MUCH_MAPPING 0.2 /* of the CPU time: then that is enough */

/*
 * What the caches of threads don't fit costs CPU time in the allocator, and no more than there is of
 * it: however many such blocks, where that is little nothing is wrong.
 */
static void
add_allocation_share(struct pf_findings *f, double share)
{
	pf_add_number(f, "cpu_share_of_allocation", share, "share");
	if (isnan(share))
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f,
			"How much CPU time goes into allocating is not known: where it is under "
			"%.0f %%, there is nothing to save here. A CPU profile tells.",
			100 * PF_ALLOCATION_MATTERS));
}

static bool
maps_memory(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	size_t map = pf_stack_with(s, ep, PF_CODE_MAPPING),
	       malloc_at = pf_stack_with(s, ep, PF_CODE_ALLOCATION);

	return map < s->count && malloc_at < s->count && map <= malloc_at;
}

static bool
unmaps_memory(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return (s->traits & PF_CODE_UNMAPPING) && maps_memory(s, ep);
}

/* Whether a block of its own goes back by it (munmap_chunk, most often inlined into free), and no end of a heap. */
static bool
unmaps_block(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	static const char *const trimming[] = {"_int_free", "_int_realloc", "heap_trim",
	    "shrink_heap", "systrim", "malloc_consolidate", "madvise", "__madvise", "__GI_madvise"};

	for (size_t i = 0; i < s->count; i++) {
		for (size_t k = 0; k < sizeof trimming / sizeof *trimming; k++) {
			if (strncmp(pf_site_name(ep, s->names[i]), trimming[k],
				strlen(trimming[k])) == 0)
				return false;
		}
	}
	return unmaps_memory(s, ep);
}

/*
 * Of the bytes in blocks that are big enough to be mapped, those in blocks that are mapped whatever the threshold is,
 * by a heap profile; NaN: none tells. *small: one tells that there are no big blocks at all.
 */
static double
beyond_thresholds(const struct pf_evidence *e, bool *small)
{
	static const char *const counts[] = {"alloc_objects", "inuse_objects", "objects", NULL};
	static const char *const sizes[] = {"alloc_space", "inuse_space", "space", NULL};
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_HEAP);
	uint32_t count, size;
	double all = 0, big = 0, beyond = 0;

	if (!ep)
		ep = pf_evidence_last(e, PF_PROFILE_ALLOCS);
	count = ep ? pf_evidence_column(ep, counts) : PF_NONE;
	size = ep ? pf_evidence_column(ep, sizes) : PF_NONE;
	for (size_t i = 0; size != PF_NONE && count != PF_NONE && i < ep->p->sample_count; i++) {
		double n = pf_value(ep, i, count), bytes = pf_value(ep, i, size);

		all += bytes;
		if (!(n > 0) || bytes / n < FIRST_THRESHOLD)
			continue;
		big += bytes;
		if (bytes / n >= MOST_THRESHOLD)
			beyond += bytes;
	}
	*small = all > 0 && big == 0;
	return big > 0 ? beyond / big : NAN;
}

static void
advise_reuse(struct pf_findings *f, double beyond)
{
	pf_add_advice(
	    f, (struct pf_advice){
		   .action =
		       beyond > 0
			   ? pf_say(f,
				 "Reuse the buffers: a pool of a few saves the kernel and the "
				 "zeroing. %.0f %% of the bytes in big blocks are in blocks of "
				 "32 MiB and more, which glibc maps whatever its thresholds "
				 "are.",
				 100 * beyond)
			   : pf_say(f,
				 "Or reuse the buffers: a pool of a few saves the kernel and the "
				 "zeroing.")});
	pf_add_measurement(f, "cpu", "share", pf_say(f, "profuse tune --try CMD"));
	pf_add_measurement(f, "rss_peak", "bytes", pf_say(f, "profuse tune --try CMD"));
}

/* Thresholds above the usual size (of mapping: where blocks are mapped), beside what else today's tunables set. */
static uint32_t
say_thresholds(const struct pf_evidence *e, struct pf_findings *f, bool mapped)
{
	uint32_t setting = pf_say(f, "GLIBC_TUNABLES=%sglibc.malloc.trim_threshold=268435456",
	    mapped ? "glibc.malloc.mmap_threshold=33554432:" : "");

	for (const char *at = e->tunables; at && *at; at += strcspn(at, ":"), at += *at == ':') {
		if ((!mapped || strncmp(at, "glibc.malloc.mmap_threshold=", 28) != 0) &&
		    strncmp(at, "glibc.malloc.trim_threshold=", 28) != 0)
			setting =
			    pf_say(f, "%s:%.*s", pf_said(f, setting), (int)strcspn(at, ":"), at);
	}
	return setting;
}

static uint32_t
say_undo(const struct pf_evidence *e, struct pf_findings *f)
{
	return e->tunables ? pf_say(f, "GLIBC_TUNABLES=%s", e->tunables)
			   : pf_say(f, "unset GLIBC_TUNABLES");
}

static void
advise_mapping(const struct pf_evidence *e, struct pf_findings *f)
{
	pf_add_advice(f,
	    (struct pf_advice){.action = pf_say(f, "Keep big blocks in the heap instead of mapping "
						   "and unmapping each: fix both thresholds "
						   "above the usual size."),
		.setting = say_thresholds(e, f, true),
		.how = pf_say(f, "in the environment; before 2.26 MALLOC_MMAP_THRESHOLD_ and "
				 "MALLOC_TRIM_THRESHOLD_; or "
				 "mallopt(M_MMAP_THRESHOLD, …) and mallopt(M_TRIM_THRESHOLD, …)"),
		.versions = pf_say(f, "glibc; 32 MiB is the greatest threshold on 64 bits"),
		.risk = pf_say(f, "Freed big blocks stay resident, and may fragment the heap."),
		.undo = say_undo(e, f)});
}

/*
 * What goes to the kernel and back is ends of heaps. Where blocks are big as well, both thresholds are fixed: the one
 * of trimming alone would leave that of mapping at 128 KiB for good.
 */
static void
advise_keeping_ends(const struct pf_evidence *e, struct pf_findings *f)
{
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f, "Keep the free ends of the heaps instead of giving them back "
				    "and getting them again: a trim threshold above what comes "
				    "and goes. (By the heap profile no block is big enough to be "
				    "mapped by itself.)"),
		.setting = say_thresholds(e, f, false),
		.how = pf_say(f, "in the environment; before 2.26 MALLOC_TRIM_THRESHOLD_; or "
				 "mallopt(M_TRIM_THRESHOLD, …); where the main heap grows often, "
				 "M_TOP_PAD (glibc.malloc.top_pad) has it grow by more at a time"),
		.versions = pf_say(f, "glibc"),
		.risk = pf_say(f, "What is freed at the end of a heap stays resident; and blocks "
				  "from 128 KiB on, should there be any, are mapped each from "
				  "then on."),
		.undo = say_undo(e, f)});
}

/*
 * With the first mapped block that is freed glibc raises its threshold to that block's size, up to 32 MiB: who
 * maps blocks below that again and again has had a threshold fixed. A call of mallopt() has the last word.
 */
static void
advise_unfixing(const struct pf_evidence *e, struct pf_findings *f, double beyond)
{
	static const char calls[] = "mallopt(M_MMAP_THRESHOLD, …), or with M_TRIM_THRESHOLD, "
				    "M_TOP_PAD or M_MMAP_MAX";

	if (*e->fixed_threshold) {
		pf_add_advice(f,
		    (struct pf_advice){.action = pf_say(f,
					   "Take %s out of the environment: any such value ends "
					   "glibc's own adaptation, by which it maps blocks of a "
					   "size once and then keeps them in the heap.",
					   e->fixed_threshold),
			.versions = pf_say(f, "glibc; it adapts up to 32 MiB"),
			.risk = pf_say(f, "Freed big blocks stay resident."),
			.undo = pf_say(f, "set %s again", e->fixed_threshold)});
		return;
	}
	pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
	    pf_say(f,
		"Who has fixed a threshold is not known%s: glibc by itself raises it to the "
		"size of a mapped block that is freed (up to 32 MiB), and maps blocks of that "
		"size no more%s.",
		e->has_environment ? " (its environment has not)" : "",
		isnan(beyond) ? "; blocks of 32 MiB and more it maps always, and no heap profile "
				"tells their sizes"
			      : ""));
	pf_add_advice(f,
	    (struct pf_advice){.action = pf_say(f,
				   "Find where the program or one of its libraries calls %s, and "
				   "take it out or raise it: what the environment says is "
				   "overridden by it.",
				   calls),
		.how = pf_say(f, "search the sources; or gdb -p PID -ex 'p mp_.no_dyn_threshold' "
				 "-ex 'p mp_.mmap_threshold', with glibc's debug symbols"),
		.risk = pf_say(f, "Freed big blocks stay resident.")});
	if (e->has_environment)
		return;
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f, "Or, where the environment fixes it (MALLOC_MMAP_THRESHOLD_, "
				    "GLIBC_TUNABLES; --pid shows it), set both thresholds above "
				    "the usual size there."),
		.setting = say_thresholds(e, f, true),
		.how = pf_say(f, "in the environment; it changes nothing where the program calls "
				 "mallopt() itself"),
		.versions = pf_say(f, "glibc 2.26 and later"),
		.undo = pf_say(f, "what it was before")});
}

/*
 * Thresholds decide what is given back, and what a big block costs that comes and goes. A heap that only
 * grows, by whatever blocks, pays for each page of it once whatever they are: in an arena of threads by an
 * mprotect of 4 KiB each. 9,064 of them in a program that leaks were 9,184 with both thresholds set.
 */
static int
mapping_cost(const struct pf_evidence *e, struct pf_findings *f, bool *found, struct pf_error *err)
{
	uint32_t column;
	const struct pf_evidence_profile *ep = pf_cpu_profile(e, &column);
	struct pf_finding *finding;
	struct pf_sites sites, back = {0}, blocks = {0};
	double share, samples, low, high, beyond, least;
	char text[PF_AMOUNT_ROOM];
	bool small;
	int rc;

	*found = false;
	beyond = beyond_thresholds(e, &small);
	if (!ep || pf_evidence_is_go(e) ||
	    (e->allocator != PF_ALLOCATOR_UNKNOWN && e->allocator != PF_ALLOCATOR_GLIBC))
		return 0;
	rc = pf_sites_of(&sites, ep, column, maps_memory, err);
	if (!rc)
		rc = pf_sites_of(&back, ep, column, unmaps_memory, err);
	if (!rc)
		rc = pf_sites_of(&blocks, ep, column, unmaps_block, err);
	share = sites.total / pf_column_total(ep, column);
	samples = pf_cpu_samples(ep);
	pf_share_interval(share, samples, &low, &high);
	least = share >= MUCH_MAPPING ? GIVEN_BACK_HARDLY : GIVEN_BACK;
	if (!rc && share >= 0.05 && low >= 0.02 && back.total >= least * sites.total) {
		*found = true;
		finding = pf_findings_add(f, "malloc-thresholds",
		    pf_cpu_severity(
			ep, column, share >= 0.2 ? PF_SEVERITY_HIGH : PF_SEVERITY_MEDIUM),
		    PF_CONFIDENCE_HIGH,
		    pf_say(f,
			"At least %s of the CPU time goes into getting memory from the kernel and "
			"giving it back",
			pf_amount(text, share, "share")));
		finding->cpu_saved = share;
		finding->summary = pf_say(f, "Touching fresh pages costs as well, and counts where "
					     "the program does it.");
		pf_add_cpu_share(f, "cpu_share", share, samples);
		pf_add_number(f, "given_back_share", back.total / sites.total, "share");
		if (small && blocks.total < MOSTLY_BLOCKS * back.total)
			advise_keeping_ends(e, f);
		else if (!(beyond >= MOSTLY_BEYOND) && blocks.total >= MOSTLY_BLOCKS * back.total)
			advise_unfixing(e, f, beyond);
		else if (!(beyond >= MOSTLY_BEYOND))
			advise_mapping(e, f);
		advise_reuse(f, beyond);
		rc = pf_show_sites(f, ep, &sites, 3, "share_of_mapping", err);
	}
	pf_sites_release(&sites);
	pf_sites_release(&back);
	pf_sites_release(&blocks);
	return rc;
}

/* glibc before 2.42 takes a tcache_max of 1032 at most, and passes over a greater one without a word. */
static void
advise_caches(struct pf_findings *f)
{
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f, "Try an allocator whose threads cache bigger blocks too "
				    "(jemalloc up to 32 KiB, tcmalloc up to 256 KiB), or keep "
				    "buffers of these sizes in a pool of each thread."),
		.how = pf_say(f, "profuse tune --try CMD"),
		.versions = pf_say(f, "every glibc: of 2.26 to 2.41 the caches end at 1032 bytes, "
				      "whatever glibc.malloc.tcache_max says")});
	pf_add_advice(f,
	    (struct pf_advice){.action = pf_say(f, "Or let the caches of threads take bigger "
						   "blocks, where glibc can."),
		.setting = pf_say(f, "GLIBC_TUNABLES=glibc.malloc.tcache_max=65536"),
		.how = pf_say(f, "in the environment of the service"),
		.versions = pf_say(f, "glibc 2.42 and later"),
		.risk = pf_say(f, "Each thread keeps free blocks of every size: memory grows with "
				  "threads."),
		.undo = pf_say(f, "unset GLIBC_TUNABLES")});
}

/* From a heap profile that counts all allocations: how many are of sizes that a threshold cuts off. */
static int
cut_off(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	static const char *const counts[] = {"alloc_objects", NULL}, *const sizes[] = {
									 "alloc_space", NULL};
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_HEAP);
	uint32_t count, size;
	double all = 0, beyond = 0, most = 0, cpu, variance;
	size_t heaviest = 0;
	int rc;

	if (!ep)
		ep = pf_evidence_last(e, PF_PROFILE_ALLOCS);
	if (!ep || pf_evidence_is_go(e) || e->allocator != PF_ALLOCATOR_GLIBC)
		return 0;
	count = pf_evidence_column(ep, counts);
	size = pf_evidence_column(ep, sizes);
	if (count == PF_NONE || size == PF_NONE)
		return 0;
	for (size_t i = 0; i < ep->p->sample_count; i++) {
		double n = pf_value(ep, i, count), each = n > 0 ? pf_value(ep, i, size) / n : 0;

		all += n;
		if (each <= TCACHE_MAX || each > 64 * TCACHE_MAX)
			continue;
		beyond += n;
		if (n > most) {
			most = n;
			heaviest = i;
		}
	}
	if (all < MANY_ALLOCATIONS || beyond < 0.3 * all || pf_uses_little_cpu(e))
		return 0;
	rc = pf_allocation_share(e, &cpu, err);
	if (rc || cpu < PF_ALLOCATION_MATTERS)
		return rc;
	pf_findings_add(f, "malloc-thresholds", PF_SEVERITY_LOW, PF_CONFIDENCE_MEDIUM,
	    pf_say(f,
		"%.0f %% of allocations are just too big for the caches of threads (1 KiB to 64 "
		"KiB)",
		100 * beyond / all));
	variance = pf_objects_variance(ep, count, size);
	pf_add_share_of(f, "share_of_allocations", beyond / all, all, variance);
	pf_add_sum(f, "allocations", all, variance, "count");
	add_allocation_share(f, cpu);
	advise_caches(f);
	pf_add_measurement(f, "cpu", "share", pf_say(f, "profuse tune --try CMD"));
	return pf_show_stack(f, ep, heaviest, most, most / all, "count", err);
}

int
pf_detect_thresholds(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	bool found;
	int rc = mapping_cost(e, f, &found, err);

	return rc || found ? rc : cut_off(e, f, err);
}

/* Whether a sample of the agent's frees profile was freed by another thread than allocated it. */
static bool
crossed(const struct pf_profile *p, size_t sample)
{
	return strcmp(pf_sample_text(p, sample, "thread"), "other") == 0;
}

double
pf_crossed_share(const struct pf_evidence *e)
{
	static const char *const objects[] = {"freed_objects", NULL};
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_FREES);
	uint32_t column = ep ? pf_evidence_column(ep, objects) : PF_NONE;
	double all = 0, other = 0;

	for (size_t i = 0; column != PF_NONE && i < ep->p->sample_count; i++) {
		double value = pf_value(ep, i, column);

		all += value;
		other += crossed(ep->p, i) ? value : 0;
	}
	return all >= MANY_ALLOCATIONS ? other / all : NAN;
}

/* Objects freed by another thread, by who allocated them; *all: objects freed by any. */
static int
sum_crossed(struct pf_sites *sites, const struct pf_evidence_profile *ep, uint32_t column,
    double *all, struct pf_error *err)
{
	struct pf_stack stack = {0};
	int rc = 0;

	*sites = (struct pf_sites){0};
	*all = 0;
	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		double value = pf_value(ep, i, column);

		*all += value;
		if (!crossed(ep->p, i))
			continue;
		rc = pf_stack_read(&stack, ep, i, err);
		if (!rc)
			rc = pf_sites_add(sites, pf_stack_owner(&stack, ep), value, 1, i, err);
	}
	pf_stack_release(&stack);
	pf_sites_sort(sites);
	return rc;
}

/* An allocator that is made for it is none that is at work. */
static void
advise_handing_back(const struct pf_evidence *e, struct pf_findings *f)
{
	static const enum pf_allocator made[] = {
	    PF_ALLOCATOR_MIMALLOC, PF_ALLOCATOR_JEMALLOC, PF_ALLOCATOR_TCMALLOC};
	char names[64] = "";

	for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
		size_t used = strlen(names);

		if (made[i] != e->allocator)
			snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
			    pf_allocator_name(made[i]));
	}
	pf_add_advice(
	    f, (struct pf_advice){.action = pf_say(f,
				      "Caches of threads help such objects little: let the "
				      "receiver hand buffers back to the "
				      "sender, or try an allocator that is made for it (%s).",
				      names),
		   .how = pf_say(f, "profuse tune --try CMD")});
}

int
pf_detect_cross_thread(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	static const char *const objects[] = {"freed_objects", NULL}, *const bytes[] = {
									  "freed_space", NULL};
	const struct pf_evidence_profile *ep = pf_evidence_last(e, PF_PROFILE_FREES);
	uint32_t column = ep ? pf_evidence_column(ep, objects) : PF_NONE,
		 size = ep ? pf_evidence_column(ep, bytes) : PF_NONE;
	struct pf_sites sites;
	double all, share, cpu, variance;
	char text[PF_AMOUNT_ROOM];
	int rc;

	if (column == PF_NONE)
		return 0;
	rc = pf_allocation_share(e, &cpu, err);
	if (rc || cpu < PF_ALLOCATION_MATTERS)
		return rc;
	rc = sum_crossed(&sites, ep, column, &all, err);
	share = sites.total / all;
	if (!rc && sites.count && sites.total >= MANY_ALLOCATIONS && share >= 0.25) {
		pf_findings_add(f, "cross-thread-frees",
		    share >= 0.5 ? PF_SEVERITY_MEDIUM : PF_SEVERITY_LOW, PF_CONFIDENCE_MEDIUM,
		    pf_say(f,
			"%s of freed objects are freed by another thread than allocated them, most "
			"of "
			"them from %s",
			pf_amount(text, share, "share"), pf_site_name(ep, sites.items[0].name)));
		variance = size == PF_NONE ? NAN : pf_objects_variance(ep, column, size);
		pf_add_share_of(f, "share_of_frees", share, all, variance);
		pf_add_sum(f, "objects", sites.total, share * variance, "count");
		add_allocation_share(f, cpu);
		advise_handing_back(e, f);
		pf_add_measurement(f, "cpu", "share", pf_say(f, "profuse tune --try CMD"));
		rc = pf_show_sites(f, ep, &sites, 3, "count", err);
	}
	pf_sites_release(&sites);
	return rc;
}
