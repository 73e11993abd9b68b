/*
 * block_counts.c: prints what each inference says about every block, to be held
 * against exact counts. Usage: block_counts BINARY PROFILE none|block|flow|dump
 *
 * One line a block: function, first address, instructions, samples, estimate. dump prints the
 * program and its samples instead, as lines of words, for experiments with other inferences:
 *   function NAME START END complete taken part
 *   block FUNCTION exits SUCCESSOR...
 *   instruction BLOCK ADDRESS SIZE KIND COST TARGET SAMPLES
 *   edge CALLER CALLEE SAMPLES
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <profuse/profile.h>

#include "convert/binary_lines.h"
#include "convert/executions.h"
#include "convert/match.h"
#include "convert/program.h"
#include "convert/sample_type.h"
#include "profile/stacks.h"

struct state {
	struct pf_binary *binary;
	struct pf_profile *profile;
	struct pf_stacks stacks;
	struct pf_sample_type type;
	struct pf_samples samples;
	struct pf_program program;
	struct pf_binary_lines lines;
	struct pf_executions executions;
};

static int
read_all(struct state *s, char **argv, struct pf_error *err)
{
	struct pf_period period = {0};
	enum pf_match *matches = NULL;
	struct pf_line_source source;
	int rc = pf_binary_open(&s->binary, argv[1], err);

	if (!rc)
		rc = pf_profile_open(&s->profile, argv[2], NULL, err);
	if (!rc)
		rc = pf_stacks_init(&s->stacks, err);
	if (!rc)
		rc = pf_stacks_add(&s->stacks, s->profile, argv[2], NULL, err);
	if (!rc)
		rc = pf_sample_type_choose(&s->type, &s->stacks, NULL, &period, err);
	if (!rc)
		rc = pf_match_binaries(
		    &matches, &s->stacks, argv[1], pf_binary_build_id(s->binary), false, err);
	if (!rc)
		rc = pf_samples_collect(&s->samples, &s->stacks, &s->type, matches, s->binary, err);
	if (!rc)
		rc = pf_program_read(&s->program, s->binary, &s->samples, err);
	if (!rc)
		rc = pf_binary_lines_init(&s->lines, s->binary, err);
	source = pf_binary_lines_source(&s->lines);
	for (size_t i = 0; !rc && i < s->program.function_count; i++) {
		struct pf_program_function *f = &s->program.functions[i];
		f->taken = source.function_at(source.context, f->start, true) != NULL;
	}
	free(matches);
	return rc;
}

static void
print_blocks(const struct state *s, const struct pf_program_code *code)
{
	uint32_t count = s->program.functions[code->function].block_count;

	for (uint32_t b = 0; b < count; b++) {
		uint32_t first = code->starts[b], end = code->starts[b + 1];
		int64_t samples = 0;

		for (uint32_t i = first; i < end; i++)
			samples += code->values[i];
		printf("%s 0x%" PRIx64 " %u %" PRId64 " %.9g\n",
		    s->program.functions[code->function].name, code->instructions[first].address,
		    end - first, samples, pf_executions_of(&s->executions, code, first));
	}
}

static void
dump_blocks(const struct state *s, const struct pf_program_code *code)
{
	const struct pf_program *p = &s->program;
	const struct pf_program_block *b = &p->blocks[code->first_block];

	for (uint32_t n = p->functions[code->function].block_count; n > 0; n--, b++) {
		printf("block %" PRIu32 " %d", code->function, b->exits);
		for (uint32_t e = b[0].first_edge; e < b[1].first_edge; e++)
			printf(" %" PRIu32, p->edges[e]);
		printf("\n");
	}
}

static void
dump_instructions(const struct state *s, const struct pf_program_code *code)
{
	(void)s;
	for (size_t i = 0; i < code->count; i++) {
		const struct pf_instruction *in = &code->instructions[i];
		printf("instruction %" PRIu32 " 0x%" PRIx64 " %d %d %d 0x%" PRIx64 " %" PRId64 "\n",
		    in->block, in->address, in->size, in->kind, in->cost, in->target,
		    code->values[i]);
	}
}

static int
each_function(const struct state *s,
    void (*print)(const struct state *s, const struct pf_program_code *code), struct pf_error *err)
{
	struct pf_program_code code = {0};
	int rc = 0;

	for (uint32_t i = 0; !rc && i < s->program.function_count; i++) {
		rc = pf_program_unfold(&code, &s->program, i, err);
		if (!rc)
			print(s, &code);
	}
	pf_program_code_release(&code);
	return rc;
}

static int
dump(const struct state *s, struct pf_error *err)
{
	const struct pf_program *p = &s->program;
	int rc;

	for (size_t i = 0; i < p->function_count; i++) {
		const struct pf_program_function *f = &p->functions[i];
		printf("function %s 0x%" PRIx64 " 0x%" PRIx64 " %d %d %d\n", f->name, f->start,
		    f->end, f->complete, f->taken, f->part);
	}
	rc = each_function(s, dump_blocks, err);
	if (!rc)
		rc = each_function(s, dump_instructions, err);
	for (size_t i = 0; i < s->samples.edge_count; i++)
		printf("edge 0x%" PRIx64 " 0x%" PRIx64 " %" PRId64 "\n", s->samples.edges[i].caller,
		    s->samples.edges[i].callee, s->samples.edges[i].value);
	return rc;
}

int
main(int argc, char **argv)
{
	static const char *const methods[] = {"none", "block", "flow"};
	struct state s = {0};
	struct pf_error err = {0};
	int method = 0, rc;

	if (argc != 4) {
		fprintf(stderr, "usage: block_counts BINARY PROFILE none|block|flow|dump\n");
		return 2;
	}
	while (method < 2 && strcmp(methods[method], argv[3]) != 0)
		method++;
	rc = read_all(&s, argv, &err);
	if (!rc && strcmp(argv[3], "dump") == 0) {
		rc = dump(&s, &err);
	} else if (!rc) {
		rc = pf_executions_estimate(&s.executions, &s.program, (enum pf_inference)method,
		    s.type.unit, s.type.time, &err);
		if (!rc)
			rc = each_function(&s, print_blocks, &err);
	}
	if (rc)
		fprintf(stderr, "%s\n", err.message);
	pf_executions_release(&s.executions);
	pf_binary_lines_release(&s.lines);
	pf_program_release(&s.program);
	pf_samples_release(&s.samples);
	pf_stacks_release(&s.stacks);
	pf_profile_free(s.profile);
	pf_binary_free(s.binary);
	return rc;
}
