/*
 * main.c: profuse COMMAND …: finds the command, parses by its table, runs it,
 * prints its error and turns its code into the exit status of the contract.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "core/error.h"
#include "help.h"

static const struct cli_command *
find_command(const char *name)
{
	for (size_t i = 0; cli_commands[i]; i++) {
		if (strcmp(cli_commands[i]->name, name) == 0)
			return cli_commands[i];
	}
	return NULL;
}

/* A write that fails at the very end (a full disk behind a redirect) must not exit 0. */
static int
flush_output(struct pf_error *err)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return pf_error_errno(err, "cannot write to", "standard output");
}

static int
run_command(const struct cli_command *command, int argc, char **argv, struct pf_error *err)
{
	struct cli_arguments arguments;
	void *settings = calloc(1, command->settings_size ? command->settings_size : 1);
	bool help;
	int rc;

	if (!settings)
		return pf_error_nomem(err);
	rc = cli_parse(command, argc, argv, settings, &arguments, &help, err);
	if (!rc && help)
		cli_help_command(stdout, command);
	else if (!rc)
		rc = command->run(settings, &arguments, err);
	cli_settings_release(command, settings);
	free(settings);
	return rc ? rc : flush_output(err);
}

/* "profuse help [COMMAND]" and the hidden "profuse help --man|--bash-completion" that the build uses. */
static int
run_help(int argc, char **argv, struct pf_error *err)
{
	const struct cli_command *command;

	if (argc == 0) {
		cli_help_overview(stdout);
		return flush_output(err);
	}
	if (strcmp(argv[0], "--bash-completion") == 0) {
		cli_help_completion(stdout);
		return flush_output(err);
	}
	if (strcmp(argv[0], "--man") == 0 && argc == 1) {
		cli_help_man_overview(stdout);
		return flush_output(err);
	}
	command = find_command(argv[argc - 1]);
	if (!command)
		return pf_error_set(
		    err, PF_EUSAGE, "no command %s; profuse --help lists them", argv[argc - 1]);
	if (strcmp(argv[0], "--man") == 0)
		cli_help_man(stdout, command);
	else
		cli_help_command(stdout, command);
	return flush_output(err);
}

static int
dispatch(int argc, char **argv, struct pf_error *err)
{
	const struct cli_command *command;

	if (argc < 2) {
		cli_help_overview(stderr);
		return pf_error_set(err, PF_EUSAGE, "no command given");
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return run_help(argc - 2, argv + 2, err);
	if (strcmp(argv[1], "--version") == 0) {
		printf("profuse %s\n", pf_version());
		return flush_output(err);
	}
	command = find_command(argv[1]);
	if (!command)
		return pf_error_set(
		    err, PF_EUSAGE, "no command %s; profuse --help lists them", argv[1]);
	return run_command(command, argc - 2, argv + 2, err);
}

int
main(int argc, char **argv)
{
	struct pf_error err = {0};
	int rc;

	signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error to report, not a death */
	rc = dispatch(argc, argv, &err);
	if (rc && err.message[0])
		fprintf(stderr, "profuse: %s\n", err.message);
	return pf_exit_code(rc);
}
