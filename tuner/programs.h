/*
 * programs.h: whether all evidence is of one program: a part of settling it.
 *
 * What one program's profile shows says nothing about another's collector or heap. Of
 * several programs the one with the most profiles is judged; those of others are set
 * aside, and reports say which.
 */
#ifndef PF_TUNER_PROGRAMS_H
#define PF_TUNER_PROGRAMS_H

#include "core/buffer.h"
#include "core/file.h"
#include "tuner/evidence.h"

/* Sets e->apart of profiles, and e->not_go; profiles are still in the order in which they came. */
void pf_evidence_part(struct pf_evidence *e);

/* The main binary's name, without its folder; "" where the profile names none. */
const char *pf_evidence_program(const struct pf_evidence_profile *ep);

/*
 * Whether a base is of another program than a profile: neither has the other's main binary, and they have hardly a
 * function in common. What names no program, or has no sample, is not.
 */
bool pf_evidence_is_foreign(
    const struct pf_evidence_profile *base, const struct pf_evidence_profile *ep);

/*
 * Whether the profiles so far are of the program that a process runs: PF_EINPUT where all of them name
 * another, by build id and name. What can't be read is no contradiction. PF_ENOMEM.
 */
int pf_evidence_check_process(const struct pf_evidence *e, pid_t pid, struct pf_error *err);

/* Whether a profile has this binary mapped: by build id, or by name where one of them has none. */
bool pf_evidence_has_binary(const struct pf_evidence *e, const char *name, const char *build_id);

/* Whether one of these files is the profile's binary of this name: by build id, without one none is. */
bool pf_was_given(const struct pf_paths *binaries, const struct pf_profile *p, const char *name);

/* Appends a sentence about what was set aside, or that builds differ; nothing where all is of one program. */
void pf_evidence_write_programs(const struct pf_evidence *e, struct pf_buffer *out);

#endif
