/* help.h: --help, man pages (scdoc source) and bash completion, all made from the option tables. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "options.h"

void cli_help_overview(FILE *out);
void cli_help_command(FILE *out, const struct cli_command *command);
/* scdoc source of profuse(1) and profuse-COMMAND(1). */
void cli_help_man_overview(FILE *out);
void cli_help_man(FILE *out, const struct cli_command *command);
void cli_help_completion(FILE *out);

#endif
