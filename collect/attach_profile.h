/* attach_profile.h: from the kernel's samples to a profile. */
#ifndef PF_COLLECT_ATTACH_PROFILE_H
#define PF_COLLECT_ATTACH_PROFILE_H

#include <profuse/profile.h>

#include "attach_events.h"

struct pf_attach_builder;

int pf_attach_builder_new(struct pf_attach_builder **builder, const struct pf_attach_event *event,
    unsigned rate, const struct pf_attach_subject *subject, struct pf_error *err);
void pf_attach_builder_free(struct pf_attach_builder *builder);

/* What the events are to call. */
struct pf_attach_handlers pf_attach_builder_handlers(struct pf_attach_builder *builder);
/* 0, or the first failure of a handler. */
int pf_attach_builder_check(const struct pf_attach_builder *builder, struct pf_error *err);

/*
 * The samples as a profile of equal stacks summed, to be freed; once only.
 * `warning` gets a sentence if something was lost.
 */
int pf_attach_builder_finish(struct pf_attach_builder *builder, double seconds,
    struct pf_profile **profile, char *warning, size_t room, struct pf_error *err);

#endif
