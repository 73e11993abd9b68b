/*
 * inference_calls.h: calls between functions in the flow inference: a function is
 * entered as often as it is called, and stacks say which of its calls there were.
 */
#ifndef PF_CONVERT_INFERENCE_CALLS_H
#define PF_CONVERT_INFERENCE_CALLS_H

#include <stddef.h>
#include <stdint.h>

struct pf_error;
struct pf_flow_call;
struct pf_flow_detour;
struct pf_flow_graph;
struct pf_instruction;
struct pf_program;

struct pf_flow_calls {
	const struct pf_program *p;
	double unit; /* value of one sample */
	struct pf_flow_call *calls;
	size_t call_count, call_capacity;
	struct pf_flow_detour *detours;
	size_t detour_count, detour_capacity;
	double *
	    called; /* by function: over its call sites, and what these leave at least to callers outside */
	double *below; /* by function: samples under calls that are known */
	double
	    *outside; /* by function: samples under calls of functions that are not in the graph */
};

/* Zeroed before. PF_ENOMEM; release it in any case. */
int pf_flow_calls_init(
    struct pf_flow_calls *c, const struct pf_program *p, double unit, struct pf_error *err);
void pf_flow_calls_release(struct pf_flow_calls *c);

/* Any instruction of a function of the graph, in the order of addresses. PF_ENOMEM. */
int pf_flow_calls_note(struct pf_flow_calls *c, const struct pf_flow_graph *g, uint32_t caller,
    const struct pf_instruction *in, struct pf_error *err);
/* After the last of them. */
void pf_flow_calls_seal(struct pf_flow_calls *c, const struct pf_flow_graph *g);

/* Sets unseen[], by block of the program, where a call is that no stack shows, of a function that `telling` samples have under others. */
void pf_flow_calls_unseen(const struct pf_flow_calls *c, double telling, uint8_t *unseen);

/* A function's entries and the counts of the places that call it move towards each other. */
void pf_flow_calls_couple(struct pf_flow_calls *c, struct pf_flow_graph *g);

#endif
