/* stale_report.c: see stale_report.h. */
#include "convert/stale_report.h"

#include <inttypes.h>
#include <math.h>

#include "symbol/binary.h"
#include "symbol/demangle.h"

enum { NAMED_FUNCTIONS = 10 };

static double
share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

static const char *const reason_words[PF_STALE_REASONS] = {"no code comes from it any more",
    "its unique suffix is another", "lines behind its end", "lines without code",
    "calls have moved", "its control flow graph has changed",
    "inlined into a function that no longer fits"};

static void
describe_function(struct pf_buffer *b, const struct pf_stale_function *f, uint64_t total)
{
	char readable[PF_DEMANGLED_ROOM];
	uint64_t lost = 0;
	bool first = true;

	for (size_t i = 0; i < PF_STALE_REASONS; i++)
		lost += f->lost[i];
	pf_buffer_printf(
	    b, "  %10.1f %%  %s", 100 * share(lost, total), pf_readable_name(f->name, readable));
	if (f->moved)
		pf_buffer_printf(b, " (starts %+" PRId64 " line%s)", f->moved,
		    f->moved == 1 || f->moved == -1 ? "" : "s");
	for (size_t i = 0; i < PF_STALE_REASONS; i++) {
		if (!f->lost[i])
			continue;
		pf_buffer_printf(b, "%s%s", first ? ": " : ", ", reason_words[i]);
		if (f->lost[i] < f->count)
			pf_buffer_printf(
			    b, " (%.0f %% of its counts)", 100 * share(f->lost[i], f->count));
		first = false;
	}
	pf_buffer_byte(b, '\n');
}

void
pf_stale_text(struct pf_buffer *b, const struct pf_staleness *s, const struct pf_binary *newer)
{
	size_t changed = s->states[PF_STALE_CHANGED] + s->states[PF_STALE_LOST];

	pf_buffer_printf(b, "\nstill fits %s: %.1f %% of the counts\n", pf_binary_path(newer),
	    100 * pf_stale_matched(s));
	if (s->probes)
		pf_buffer_printf(b,
		    "  %zu functions with the same control flow graph, %zu partly lost, %zu lost\n",
		    s->states[PF_STALE_SAME], s->states[PF_STALE_CHANGED],
		    s->states[PF_STALE_LOST]);
	else
		pf_buffer_printf(b,
		    "  %zu functions with the same code, %zu with other code that fits, "
		    "%zu changed, %zu lost; %zu of %zu call sites moved\n",
		    s->states[PF_STALE_SAME], s->states[PF_STALE_MATCHING],
		    s->states[PF_STALE_CHANGED], s->states[PF_STALE_LOST], s->calls_moved,
		    s->calls);
	for (size_t i = 0; i < changed && i < NAMED_FUNCTIONS; i++)
		describe_function(b, &s->functions[i], s->total);
	if (changed > NAMED_FUNCTIONS)
		pf_buffer_printf(
		    b, "  and %zu more (--json lists them)\n", changed - NAMED_FUNCTIONS);
	if (s->lost[PF_STALE_RENAMED])
		pf_buffer_printf(b,
		    "  %.1f %% are of static functions with another unique suffix (.__uniq.N): "
		    "clang "
		    "makes it of the file's path on its command line. Build both with the same "
		    "path, "
		    "or with -fmacro-prefix-map=\"$PWD/=\"\n",
		    100 * share(s->lost[PF_STALE_RENAMED], s->total));
}

static json_t *
share_json(uint64_t part, uint64_t whole)
{
	return json_real(round(share(part, whole) * 1e6) / 1e6);
}

static json_t *
reasons_json(const uint64_t *lost, uint64_t total)
{
	json_t *list = json_array();

	for (enum pf_stale_reason i = 0; i < PF_STALE_REASONS; i++) {
		if (lost[i])
			json_array_append_new(
			    list, json_pack("{s:s, s:o}", "reason", pf_stale_reason_name(i),
				      "share", share_json(lost[i], total)));
	}
	return list;
}

static json_t *
functions_json(const struct pf_staleness *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->count; i++) {
		const struct pf_stale_function *f = &s->functions[i];

		json_array_append_new(
		    list, json_pack("{s:s, s:s, s:o, s:I, s:o}", "function", f->name, "state",
			      pf_stale_state_name(f->state), "share",
			      share_json(f->count, s->total), "start_line_moved",
			      (json_int_t)f->moved, "lost", reasons_json(f->lost, s->total)));
	}
	return list;
}

json_t *
pf_stale_json(const struct pf_staleness *s, const struct pf_binary *newer)
{
	json_t *states = json_object();

	for (enum pf_stale_state i = 0; i < PF_STALE_STATES; i++)
		json_object_set_new(
		    states, pf_stale_state_name(i), json_integer((json_int_t)s->states[i]));
	return json_pack("{s:s, s:s, s:f, s:o, s:{s:I, s:I}, s:o, s:o}", "against",
	    pf_binary_path(newer), "build_id", pf_binary_build_id(newer), "matched",
	    round(pf_stale_matched(s) * 1e6) / 1e6, "states", states, "call_sites", "profiled",
	    (json_int_t)s->calls, "moved", (json_int_t)s->calls_moved, "lost",
	    reasons_json(s->lost, s->total), "functions", functions_json(s));
}
