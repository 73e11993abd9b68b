/* json.h: how reports of this room are written as JSON. */
#ifndef PF_TUNER_JSON_H
#define PF_TUNER_JSON_H

#include <jansson.h>

#include "core/buffer.h"

/* Appends an object with indents, which is let go; root may be NULL (no memory). PF_ENOMEM. */
int pf_json_write(json_t *root, struct pf_buffer *out, struct pf_error *err);

#endif
