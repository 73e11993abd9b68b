/* commands.c: the list of commands; see commands.h. */
#include "commands.h"

const struct cli_command *const cli_commands[] = {
    &cli_collect,
    &cli_merge,
    &cli_show,
    &cli_convert,
    &cli_tune,
    &cli_bench,
    &cli_store,
    NULL,
};
