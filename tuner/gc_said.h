/*
 * gc_said.h: what findings about Go's collector say of its cost and of the heap, and what
 * weakens that: the same words in each.
 */
#ifndef PF_TUNER_GC_SAID_H
#define PF_TUNER_GC_SAID_H

#include <stdint.h>

#include "tuner/findings.h"

struct pf_gc_cost;
struct pf_go_heap;

/* Of the finding being built: its figures. */
void pf_gc_say_cost(struct pf_findings *f, const struct pf_gc_cost *c);
void pf_gc_say_heap(struct pf_findings *f, const struct pf_go_heap *h);

/* Its caveats, which leave it a confidence of `most` at most: what is known of the heap at all, of what is live, of GOGC. */
void pf_gc_doubt_heap(struct pf_findings *f, const struct pf_go_heap *h, enum pf_confidence most);
void pf_gc_doubt_live(struct pf_findings *f, const struct pf_go_heap *h, enum pf_confidence most);
void pf_gc_doubt_gogc(struct pf_findings *f, const struct pf_go_heap *h, enum pf_confidence most);

/* How another GOGC is undone: words of `f`. */
uint32_t pf_gc_undo_gogc(struct pf_findings *f, const struct pf_go_heap *h);

/* Advice to set GOGC=100 in place of off; `action`: why, words of `f`. */
void pf_gc_advise_on(struct pf_findings *f, uint32_t action);

#endif
