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
		rc = pf_samples_collect(
		    &s->samples, &s->stacks, s->type.type, matches, s->binary, err);
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
print_blocks(const struct state *s)
{
	for (size_t i = 0; i < s->program.block_count; i++) {
		const struct pf_program_block *b = &s->program.blocks[i];
		int64_t samples = 0;

		for (uint32_t j = 0; j < b->count; j++)
			samples += s->program.values[b->first + j];
		printf("%s 0x%" PRIx64 " %u %" PRId64 " %.9g\n",
		    s->program.functions[b->function].name,
		    s->program.instructions[b->first].address, b->count, samples,
		    s->executions.instructions[b->first]);
	}
}

static void
dump(const struct state *s)
{
	const struct pf_program *p = &s->program;

	for (size_t i = 0; i < p->function_count; i++) {
		const struct pf_program_function *f = &p->functions[i];
		printf("function %s 0x%" PRIx64 " 0x%" PRIx64 " %d %d %d\n", f->name, f->start,
		    f->end, f->complete, f->taken, f->part);
	}
	for (size_t i = 0; i < p->block_count; i++) {
		const struct pf_program_block *b = &p->blocks[i];
		printf("block %" PRIu32 " %d", b->function, b->exits);
		for (uint32_t e = 0; e < b->edge_count; e++)
			printf(" %" PRIu32, p->edges[b->first_edge + e]);
		printf("\n");
	}
	for (size_t i = 0; i < p->instruction_count; i++) {
		const struct pf_instruction *in = &p->instructions[i];
		printf("instruction %" PRIu32 " 0x%" PRIx64 " %d %d %d 0x%" PRIx64 " %" PRId64 "\n",
		    in->block, in->address, in->size, in->kind, in->cost, in->target, p->values[i]);
	}
	for (size_t i = 0; i < s->samples.edge_count; i++)
		printf("edge 0x%" PRIx64 " 0x%" PRIx64 " %" PRId64 "\n", s->samples.edges[i].caller,
		    s->samples.edges[i].callee, s->samples.edges[i].value);
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
	if (!rc && strcmp(argv[3], "dump") == 0)
		dump(&s);
	else if (!rc)
		rc = pf_executions_estimate(&s.executions, &s.program, (enum pf_inference)method,
		    s.type.unit, s.type.time, &err);
	if (!rc && s.executions.instructions)
		print_blocks(&s);
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
