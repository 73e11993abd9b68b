/*
 * inference_evidence.h: what the samples of a block, and the steps through it,
 * say of how often it ran.
 *
 * Samples are time: what an instruction costs is guessed from its class, and what
 * waits for memory is told by its neighbours. Steps say how often, whatever an
 * instruction takes; but bursts begin where time goes, so a function that waits has
 * too many of them. How often it runs as a whole is left to its samples, and
 * steps say what runs inside.
 */
#ifndef PF_CONVERT_INFERENCE_EVIDENCE_H
#define PF_CONVERT_INFERENCE_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

struct pf_program;
struct pf_program_code;

struct pf_evidence_source {
	const struct pf_program *p;
	double unit; /* value of one sample */
	bool time;   /* samples are time; else each instruction costs one */
	double
	    usual_rate; /* steps of an instruction for each count of its block, in all functions; 0: there are no steps */
	double stepped; /* share of the samples that have steps beside them: pf_samples_stepped() */
};

/* Sums over code. */
struct pf_stepped {
	double steps, executed; /* executed: instructions, in counts, by the samples */
	double samples;
	uint64_t blocks;
};

/* Of one function: where steps say nothing of it, {0, 1}. */
struct pf_function_evidence {
	double step_rate;    /* the usual rate's like, in this function */
	double sample_worth; /* of a sample, beside steps */
};

/* count = samples / weight, give or take chance. */
struct pf_evidence {
	double samples, weight;
};

bool pf_evidence_has_steps(const struct pf_evidence_source *s);
void pf_evidence_add(
    struct pf_stepped *sum, const struct pf_evidence_source *s, const struct pf_program_code *code);

struct pf_function_evidence pf_evidence_of_function(
    const struct pf_evidence_source *s, const struct pf_program_code *code);
/* `block`: of the function, from 0. */
struct pf_evidence pf_evidence_of_block(const struct pf_evidence_source *s,
    const struct pf_function_evidence *f, const struct pf_program_code *code, uint32_t block);

#endif
