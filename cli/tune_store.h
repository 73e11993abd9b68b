/* tune_store.h: what `profuse tune` judges of a store. */
#ifndef CLI_TUNE_STORE_H
#define CLI_TUNE_STORE_H

#include <profuse/tune.h>

#include "selection.h"

/* Adds what is selected; `labels` are NAME=VALUE. Progress and notes go to standard error. Errors as pf_tune_add_selection(). */
int cli_tune_add_store(struct pf_tune *tune, const struct cli_selection_settings *settings,
    const struct cli_list *labels, bool quiet, struct pf_error *err);

#endif
