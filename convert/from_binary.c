/*
 * from_binary.c: the conversion of profiles with addresses: match the binary,
 * take its samples, read the code they fell into, estimate executions, give
 * them to places in the source. Every sample is either used or counted as
 * dropped, with the reason.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/advice.h"
#include "convert/attribute.h"
#include "convert/binary_lines.h"
#include "convert/bolt.h"
#include "convert/compiler.h"
#include "convert/convert_private.h"
#include "convert/executions.h"
#include "convert/halves.h"
#include "convert/plausible.h"
#include "convert/program.h"
#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "symbol/demangle.h"
#include "symbol/probes.h"

#define UNWINDING_FROM .1      /* of all samples */
#define DISCRIMINATED_FROM 100 /* lines: some have discriminators if the compiler writes any */
#define PLAUSIBLE 90 /* percent of the callers are calls, in the right binary nearly all */

struct work {
	struct pf_convert *c;
	struct pf_samples samples;
	struct pf_program program;
	struct pf_binary_lines lines;
	struct pf_anchors anchors;
	struct pf_attribution attribution;
	struct pf_executions executions;
};

static const char *
stack_string(const struct pf_convert *c, uint32_t id)
{
	return pf_strings_get(&c->stacks.strings, id);
}

static const char *
build_id_of(const struct pf_convert *c, const struct pf_stack_binary *b)
{
	const char *id = stack_string(c, b->build_id);

	return id[0] ? id : "none";
}

/* Samples of other binaries, and how this one was recognised. */
static int
report_binaries(struct work *w, struct pf_error *err)
{
	struct pf_convert *c = w->c;
	struct pf_report *r = &c->report;
	int rc = 0;

	r->total = (double)w->samples.total / c->type.unit;
	r->steps = (double)w->samples.steps;
	for (size_t i = 0; !rc && i < c->stacks.binary_count; i++) {
		const struct pf_stack_binary *b = &c->stacks.binaries[i];
		double samples = (double)w->samples.binary_values[i] / c->type.unit;
		const char *name = stack_string(c, b->filename), *id = stack_string(c, b->build_id);

		if (pf_match_used(c->matches[i]))
			r->in_binary += samples;
		else
			rc = pf_report_drop(r,
			    c->matches[i] == PF_MATCH_OTHER_BUILD ? PF_DROP_OTHER_BUILD
								  : PF_DROP_OTHER_BINARY,
			    name, id, samples, err);
		if (c->matches[i] == PF_MATCH_NAME)
			pf_report_note(r,
			    "%s was matched by its file name: %s, so it may be another build.",
			    name,
			    id[0] ? "the binary has no build id"
				  : "the profile has no build id for it");
		if (c->matches[i] == PF_MATCH_FORCED)
			pf_report_note(r,
			    "%s has build id %s, the binary %s: used nevertheless, counts may land "
			    "on wrong lines.",
			    name, id, pf_binary_build_id(c->binary));
	}
	if (!rc)
		rc = pf_report_drop(r, PF_DROP_UNMAPPED, NULL, NULL,
		    (double)w->samples.unmapped / c->type.unit, err);
	return rc ? rc
		  : pf_report_drop(r, PF_DROP_NOT_CODE, NULL, NULL,
			(double)w->samples.not_code / c->type.unit, err);
}

/* The binary with the most samples, of all or of those that look like programs; NULL: none. */
static const struct pf_stack_binary *
most_sampled(const struct work *w, bool programs)
{
	const struct pf_stacks *s = &w->c->stacks;
	size_t most = s->binary_count;

	for (size_t i = 0; i < s->binary_count; i++) {
		const char *name = stack_string(w->c, s->binaries[i].filename);

		if (programs && (name[0] != '/' || strstr(name, ".so")))
			continue;
		if (most == s->binary_count ||
		    w->samples.binary_values[i] > w->samples.binary_values[most])
			most = i;
	}
	return most < s->binary_count ? &s->binaries[most] : NULL;
}

static bool
is_rewritten(const struct pf_binary *binary)
{
	return pf_binary_has_section(binary, ".note.bolt_info");
}

/* llvm-bolt flips the last bit of a build id. Says so where two ids are those of a program before and after it. */
static const char *
explain_bolt(const struct pf_binary *binary, const char *theirs)
{
	const char *own = pf_binary_build_id(binary);
	size_t n = strlen(own);
	char last[2] = {0};

	if (n == 0 || strlen(theirs) != n || strncmp(own, theirs, n - 1) != 0)
		return "";
	snprintf(last, sizeof last, "%lx", strtoul(own + n - 1, NULL, 16) ^ 1);
	if (theirs[n - 1] != last[0])
		return "";
	return is_rewritten(binary) ? " (the first is what llvm-bolt has made of the other: name "
				      "the program as it was linked)"
				    : " (the other is what llvm-bolt has made of this one: name "
				      "the rewritten program)";
}

static int
refuse_unmatched(const struct work *w, struct pf_error *err)
{
	const struct pf_convert *c = w->c;
	const char *path = c->binary_path, *own = pf_binary_build_id(c->binary);
	const struct pf_stack_binary *other = most_sampled(w, false);
	const struct pf_stack_binary *program = most_sampled(w, true);
	const char *words;
	bool named;

	if (w->samples.total == 0)
		return pf_error_set(err, PF_EINPUT,
		    "the profile has no samples: the program used hardly any CPU time while it was "
		    "profiled; profile it longer, or under load");
	for (size_t i = 0; i < c->stacks.binary_count; i++) {
		if (c->matches[i] == PF_MATCH_OTHER_BUILD)
			return pf_error_set(err, PF_EINPUT,
			    "the samples are of another build: %s has build id %s, %s in the "
			    "profile has %s%s; give the "
			    "binary that was profiled, or --allow-build-id-mismatch to use them "
			    "nevertheless",
			    path, own, stack_string(c, c->stacks.binaries[i].filename),
			    build_id_of(c, &c->stacks.binaries[i]),
			    explain_bolt(c->binary, build_id_of(c, &c->stacks.binaries[i])));
	}
	for (size_t i = 0; other && i < c->stacks.binary_count; i++) {
		if (pf_match_used(c->matches[i]) && !w->samples.not_code)
			return pf_error_set(err, PF_EINPUT,
			    "%s was profiled, but no sample is in its own code: most are in %s "
			    "(build id %s). Give the binary that is to get faster, be it a library "
			    "of the program, or profile longer",
			    path, stack_string(c, other->filename), build_id_of(c, other));
	}
	if (w->samples.not_code)
		return pf_error_set(err, PF_EINPUT,
		    "all samples in %s lie outside its code: the profile's mappings do not fit "
		    "this file",
		    path);
	if (!program && !other)
		return pf_error_set(err, PF_EINPUT,
		    "the profile names no binary, so none of its addresses can be told to be of "
		    "%s: "
		    "take it with a profiler that writes the program's mappings",
		    path);
	words = program ? "program" : "one";
	other = program ? program : other;
	named = strcmp(build_id_of(c, other), "none") == 0 || !own[0];
	return pf_error_set(err, PF_EINPUT,
	    named
		? "no sample of the profile is in %s (build id %s): its binaries have other names, "
		  "the %s with the most samples is %s with build id %s%s; where one side has no "
		  "build id the file's name decides: give it the name that the profile has%s"
		: "no sample of the profile is in %s (build id %s): its binaries have other names "
		  "and build ids, the %s with the most samples is %s with build id %s%s; a renamed "
		  "binary must keep the build id%s",
	    path, own[0] ? own : "none", words, stack_string(c, other->filename),
	    build_id_of(c, other), explain_bolt(c->binary, build_id_of(c, other)),
	    c->options.allow_build_id_mismatch
		? " (--allow-build-id-mismatch takes another build of the same file name)"
		: "");
}

/* Samples per function of this binary, for coverage and stability. */
static int
measure_functions(struct work *w, struct pf_error *err)
{
	struct pf_report *r = &w->c->report;
	struct pf_share *shares = NULL;
	uint64_t *counts = NULL;
	double no_lines = 0;
	size_t n = w->program.function_count;
	int rc = PF_CALLOC(shares, n, err);

	if (!rc)
		rc = PF_CALLOC(counts, n, err);
	for (size_t i = 0; !rc && i < n; i++) {
		const struct pf_program_function *f = &w->program.functions[i];
		double samples = (double)f->value / w->c->type.unit;

		shares[i] = (struct pf_share){samples, w->attribution.has_anchors[i]};
		counts[i] = (uint64_t)llround(samples);
		no_lines += w->attribution.has_anchors[i] ? 0 : samples;
		r->unfollowed += f->value && !f->complete;
	}
	if (!rc) {
		pf_report_shares(r, shares, n);
		pf_report_judge(
		    r, &w->c->options, pf_halves_overlap(counts, n, w->c->options.seed));
		rc = pf_report_drop(r,
		    w->c->options.format == PF_CONVERT_BOLT ? PF_DROP_NO_FLOW : PF_DROP_NO_LINES,
		    NULL, NULL, no_lines, err);
	}
	free(shares);
	free(counts);
	return rc;
}

/*
 * What is lost because no line says where it belongs. A sample without a line of
 * its own still says how often its block ran, and by the flow its neighbours.
 */
static double
unplaced_value(const struct work *w)
{
	enum pf_inference method = w->c->options.inference;
	double sum = 0;

	if (method == PF_INFERENCE_NONE)
		return w->attribution.unplaced;
	for (size_t i = 0; i < w->program.function_count; i++) {
		if (method == PF_INFERENCE_BLOCK || !w->program.functions[i].complete)
			sum += w->attribution.unplaced_blocks[i];
	}
	return sum;
}

/* Where no build id says that the binary is the right one, the calls may. */
static int
judge_callers(struct work *w, struct pf_error *err)
{
	const struct pf_convert *c = w->c;
	bool unsure = false;
	double share;
	int rc;

	for (size_t i = 0; i < c->stacks.binary_count; i++)
		unsure |= c->matches[i] == PF_MATCH_NAME || c->matches[i] == PF_MATCH_FORCED;
	if (!unsure)
		return 0;
	rc = pf_callers_plausible(&share, c->binary, &w->samples, err);
	if (!rc && share >= 0)
		pf_report_judge_share(&w->c->report, "callers", share, PLAUSIBLE);
	return rc;
}

/* How much of a name to show: whole characters of UTF-8. */
static int
shown_size(const char *name)
{
	size_t size = strlen(name), most = size < 40 ? size : 40;

	while (most > 0 && ((unsigned char)name[most] & 0xc0) == 0x80)
		most--;
	return (int)most;
}

/* The functions that hold most of the samples without lines: to be built otherwise, or not one's own. */
static void
note_without_lines(struct work *w)
{
	const struct pf_program_function *most[3] = {NULL};
	char names[3][60] = {""}, readable[PF_DEMANGLED_ROOM];

	for (size_t k = 0; k < 3; k++) {
		const char *name;

		for (size_t i = 0; i < w->program.function_count; i++) {
			const struct pf_program_function *f = &w->program.functions[i];
			if (!w->attribution.has_anchors[i] && f != most[0] && f != most[1] &&
			    f->value > (most[k] ? most[k]->value : 0))
				most[k] = f;
		}
		if (!most[k])
			break;
		name = pf_readable_name(most[k]->name, readable);
		snprintf(names[k], sizeof names[k], "%s%.*s (%.0f)", k ? ", " : "",
		    shown_size(name), name, (double)most[k]->value / w->c->type.unit);
	}
	if (most[0])
		pf_report_note(&w->c->report,
		    "Samples without line information are mostly in %s%s%s: built without -gmlt. "
		    "If those are libraries linked statically, ask for less by --min-line-share.",
		    names[0], names[1], names[2]);
}

static void
note_samples_of_time(struct work *w)
{
	if (!w->c->type.time || w->samples.steps > 0 || pf_is_go_program(w->c->binary))
		return; /* Go's threads are not the agent's to step */
	if (w->c->type.steps != PF_NO_TYPE)
		pf_report_note(&w->c->report,
		    "The agent's single steps are all outside this binary: it was profiled for too "
		    "short a time for them.");
	else
		pf_report_note(&w->c->report,
		    "These are samples of time alone. With PROFUSE_STEPS=1 profuse's agent also "
		    "says how often code runs, which brings counts much nearer to exact ones.");
}

/*
 * What inlining saves, a thrown exception pays back: the unwinder goes through the frames' tables, which grow with the functions.
 * Instrumented PGO loses alike (docs/quality.md).
 */
static void
note_exceptions(struct work *w)
{
	static const char *const unwinders[] = {"libgcc_s.so", "libunwind.so"};
	struct pf_report *r = &w->c->report;
	double samples = 0;

	for (size_t i = 0; i < r->drop_count; i++) {
		const char *binary =
		    r->drops[i].reason == PF_DROP_OTHER_BINARY ? r->drops[i].binary : "";
		const char *name = pf_base_name(binary);

		for (size_t u = 0; u < sizeof unwinders / sizeof *unwinders; u++) {
			if (strncmp(name, unwinders[u], strlen(unwinders[u])) == 0)
				samples += r->drops[i].samples;
		}
	}
	if (samples >= UNWINDING_FROM * r->total)
		pf_report_note(r,
		    "%.0f %% of the samples unwind the stack: the program throws exceptions all "
		    "the time, which "
		    "no profile makes cheaper, and larger functions make dearer. Compare the "
		    "builds with profuse bench.",
		    100 * samples / r->total);
}

static void
note_lines(struct work *w)
{
	const struct pf_convert *c = w->c;

	if (w->anchors.chains >= DISCRIMINATED_FROM && !w->anchors.discriminated &&
	    c->options.format != PF_CONVERT_GCC)
		pf_report_note(&w->c->report,
		    "No line has a discriminator: the binary was built without "
		    "-fdebug-info-for-profiling, so the parts of one line (of a loop's head, of a "
		    "?:) are not told apart.");
}

static int
report_program(struct work *w, struct pf_error *err)
{
	struct pf_report *r = &w->c->report;
	double unit = w->c->type.unit;
	double unplaced = unplaced_value(w) + (double)w->program.no_code;
	int rc = pf_report_drop(
	    r, PF_DROP_NO_SYMBOL, NULL, NULL, (double)w->program.no_symbol / unit, err);

	if (!rc)
		rc = pf_report_drop(r, PF_DROP_NO_PLACE, NULL, NULL, unplaced / unit, err);
	r->used = (double)w->samples.used / unit;
	for (size_t i = 0; i < r->drop_count; i++) {
		if (r->drops[i].reason == PF_DROP_NO_SYMBOL ||
		    r->drops[i].reason == PF_DROP_NO_PLACE)
			r->used -= r->drops[i].samples;
	}
	for (size_t i = 0; i < w->program.function_count; i++) {
		if (!w->attribution.has_anchors[i])
			r->used -= (double)w->program.functions[i].value / unit;
	}
	r->scale = w->attribution.scale;
	if (!rc)
		rc = measure_functions(w, err);
	if (!rc)
		rc = judge_callers(w, err);
	if (r->unfollowed)
		pf_report_note(r,
		    "The control flow of %zu sampled functions could not be followed wholly.",
		    r->unfollowed);
	if (r->line_share < w->c->options.least_line_share &&
	    w->c->options.format != PF_CONVERT_BOLT)
		note_without_lines(w);
	note_samples_of_time(w);
	note_exceptions(w);
	note_lines(w);
	return rc;
}

static int
refuse_unusable(const struct work *w, struct pf_error *err)
{
	char why[600];

	if (!pf_binary_has_lines(w->c->binary, why, sizeof why))
		return pf_error_set(err, PF_EINPUT, "%s", why); /* it names the binary */
	return pf_error_set(err, PF_EINPUT,
	    "none of the samples in %s is in a function with line information; build it with %s",
	    w->c->binary_path, PF_DEBUG_FLAGS);
}

/* BOLT needs no lines: "has lines" is whether the control flow is known. */
static int
convert_for_bolt(struct work *w, struct pf_error *err)
{
	struct pf_convert *c = w->c;
	struct pf_bolt_output written;
	int rc;

	rc = PF_CALLOC(w->attribution.has_anchors, w->program.function_count, err);
	if (!rc)
		rc = PF_CALLOC(w->attribution.unplaced_blocks, w->program.function_count, err);
	if (!rc)
		rc = pf_bolt_write(
		    &c->bytes, &written, c->binary, &w->program, c->type.unit, c->type.time, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < w->program.function_count; i++)
		w->attribution.has_anchors[i] = w->program.functions[i].complete;
	rc = report_program(w, err);
	if (!rc && (written.branches == 0 || c->report.used <= 0))
		rc = pf_error_set(err, PF_EINPUT,
		    "the control flow of none of the sampled functions in %s could be followed",
		    c->binary_path);
	c->report.profile_functions = written.functions;
	c->report.profile_counts = written.branches;
	if (!pf_bolt_moves_functions(c->binary))
		pf_report_note(&c->report,
		    "The binary has no relocations: BOLT then moves blocks in their functions "
		    "only; "
		    "linked with -Wl,--emit-relocs it can move functions and split them too.");
	return rc;
}

/* Probes where the binary has them, unless lines were asked for. */
static int
begin_anchors(struct work *w, const struct pf_line_source *source, struct pf_error *err)
{
	struct pf_convert *c = w->c;
	bool present = pf_probes_present(c->binary);

	if (c->options.places == PF_PLACES_PROBES && !present)
		return pf_error_set(err, PF_EINPUT,
		    "%s has no pseudo-probes: build it with -fpseudo-probe-for-profiling",
		    c->binary_path);
	c->report.probes = present && c->options.places != PF_PLACES_LINES;
	if (c->report.probes)
		return pf_anchors_by_probes(
		    &w->anchors, &c->functions, &w->program, c->binary, err);
	c->report.unique_names = pf_has_unique_names(c->binary);
	pf_anchors_by_lines(&w->anchors, &c->functions, source);
	return 0;
}

/* Counts are in the function profiles now; what they were made from holds most of the memory. */
static void
forget_code(struct work *w)
{
	struct pf_anchors counted = {
	    .chains = w->anchors.chains, .discriminated = w->anchors.discriminated};

	pf_anchors_release(&w->anchors);
	w->anchors = counted;
	pf_executions_release(&w->executions);
	pf_program_forget_code(&w->program);
}

static int
convert_code(struct work *w, struct pf_error *err)
{
	struct pf_convert *c = w->c;
	struct pf_line_source source;
	int rc = pf_program_read(&w->program, c->binary, &w->samples, err);

	if (!rc)
		rc = pf_binary_lines_init(&w->lines, c->binary, err);
	source = pf_binary_lines_source(&w->lines);
	for (size_t i = 0; !rc && i < w->program.function_count; i++) {
		struct pf_program_function *f = &w->program.functions[i];
		f->taken = source.function_at(source.context, f->start, true) != NULL;
	}
	if (!rc && c->options.format == PF_CONVERT_BOLT)
		return convert_for_bolt(w, err);
	if (!rc)
		rc = pf_executions_estimate(&w->executions, &w->program, c->options.inference,
		    c->type.unit, c->type.time, err);
	if (!rc)
		rc = begin_anchors(w, &source, err);
	if (!rc)
		rc = pf_attribute(&c->functions, &w->attribution, &w->program, &w->anchors,
		    &w->executions, c->options.counts, &source, err);
	if (!rc) {
		forget_code(w);
		rc = pf_functions_seal(&c->functions, err);
	}
	if (!rc)
		rc = report_program(w, err);
	if (!rc && (c->functions.root_count == 0 || c->report.used <= 0))
		rc = refuse_unusable(w, err);
	return rc;
}

int
pf_convert_from_binary(struct pf_convert *c, struct pf_error *err)
{
	struct work w = {.c = c};
	int rc = pf_match_binaries(&c->matches, &c->stacks, c->binary_path,
	    pf_binary_build_id(c->binary), c->options.allow_build_id_mismatch, err);

	if (!rc && c->options.format == PF_CONVERT_BOLT && is_rewritten(c->binary))
		rc = pf_error_set(err, PF_EINPUT,
		    "%s has been through llvm-bolt already, which takes no binary twice: profile "
		    "the program as it was linked",
		    c->binary_path);
	if (!rc)
		rc = pf_check_compiler(c, err);
	if (!rc)
		rc = pf_samples_collect(
		    &w.samples, &c->stacks, &c->type, c->matches, c->binary, err);
	if (!rc)
		rc = report_binaries(&w, err);
	if (!rc && w.samples.used == 0)
		rc = refuse_unmatched(&w, err);
	if (!rc && c->options.format == PF_CONVERT_FOLDED) {
		rc = pf_convert_for_flames(c, &w.samples, err);
	} else if (!rc) {
		pf_stacks_forget(&c->stacks);
		rc = convert_code(&w, err);
	}
	pf_executions_release(&w.executions);
	pf_attribution_release(&w.attribution);
	pf_anchors_release(&w.anchors);
	pf_binary_lines_release(&w.lines);
	pf_program_release(&w.program);
	pf_samples_release(&w.samples);
	return rc;
}
