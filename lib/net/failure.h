/* failure.h: a transfer that brought no answer, as a sentence with a next step. */
#ifndef PF_NET_FAILURE_H
#define PF_NET_FAILURE_H

#include "net/transfer.h"

/* PF_EIO, PF_EINPUT (a size cap) or PF_ENOMEM; never 0. */
int pf_transfer_failure(const struct pf_transfer *t, CURLcode result, struct pf_error *err);

#endif
