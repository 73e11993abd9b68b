/* commands.h: every command of profuse, one file each (cmd_*.c), listed once. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "options.h"

extern const struct cli_command cli_collect, cli_merge, cli_show, cli_convert, cli_tune, cli_bench,
    cli_store;

/* In the order of the data flow; NULL-terminated. */
extern const struct cli_command *const cli_commands[];

#endif
