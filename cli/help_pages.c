/* help_pages.c: man pages in scdoc's markup, and bash completion; see help.h. */
#include "help.h"

#include <string.h>

#include "commands.h"

/* Text with scdoc's special characters escaped. */
static void
escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("*_\\#<>[]", *text))
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void
man_head(FILE *out, const char *name, const char *summary)
{
	fprintf(out, "%s(1)\n\n# NAME\n\n%s - ", name, name);
	escaped(out, summary);
	fputs("\n\n# SYNOPSIS\n\n", out);
}

static void
exit_status(FILE *out)
{
	fputs("# EXIT STATUS\n\n"
	      "*0*\n\tDone.\n\n"
	      "*1*\n\tThe answer asked for is no: a gate, a readiness demand.\n\n"
	      "*2*\n\tWrong usage or configuration.\n\n"
	      "*3*\n\tThe input was read but is bad, empty or does not match.\n\n"
	      "*4*\n\tSomething could not be reached, read or written.\n\n"
	      "*5*\n\tInconclusive.\n\n",
	    out);
}

static void
man_option(FILE *out, const struct cli_option *o)
{
	if (o->letter)
		fprintf(out, "*-%c*, ", o->letter);
	fprintf(out, o->negatable ? "*--\\[no-\\]%s*" : "*--%s*", o->name);
	if (o->argument) {
		fputc(' ', out);
		escaped(out, o->argument);
	}
	fputs("\n\t", out);
	escaped(out, o->help);
	fputs("\n\n", out);
}

void
cli_help_man(FILE *out, const struct cli_command *c)
{
	char name[64];

	snprintf(name, sizeof name, "profuse-%s", c->name);
	man_head(out, name, c->summary);
	fprintf(out, "*profuse %s* ", c->name);
	escaped(out, c->usage);
	fputs("\n\n# DESCRIPTION\n\n", out);
	escaped(out, c->description);
	fputs("\n\n# OPTIONS\n\n", out);
	for (const struct cli_option *o = c->options; o->name; o++)
		man_option(out, o);
	if (c->examples)
		fprintf(out, "# EXAMPLES\n\n```\n%s```\n\n", c->examples);
	exit_status(out);
	fputs("# SEE ALSO\n\n*profuse*(1)\n", out);
}

void
cli_help_man_overview(FILE *out)
{
	man_head(out, "profuse", "production pprof profiles in, faster services out");
	fputs("*profuse* COMMAND \\[OPTION\\]… \\[ARGUMENT\\]…\n\n# COMMANDS\n\n", out);
	for (size_t i = 0; cli_commands[i]; i++) {
		fprintf(out, "*profuse-%s*(1)\n\t", cli_commands[i]->name);
		escaped(out, cli_commands[i]->summary);
		fputs("\n\n", out);
	}
	exit_status(out);
}

void
cli_help_completion(FILE *out)
{
	fputs("# bash completion for profuse, made from its option tables\n"
	      "_profuse()\n{\n"
	      "\tlocal word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=\n"
	      "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\twords=\"",
	    out);
	for (size_t i = 0; cli_commands[i]; i++)
		fprintf(out, "%s ", cli_commands[i]->name);
	fputs("--help --version\"\n\telse\n\t\tcase ${COMP_WORDS[1]} in\n", out);
	for (size_t i = 0; cli_commands[i]; i++) {
		const struct cli_option *options = cli_commands[i]->options;
		fprintf(out, "\t\t%s)\n\t\t\tcase $previous in\n", cli_commands[i]->name);
		for (const struct cli_option *o = options; o->name; o++) {
			if (o->choices) {
				fprintf(out, "\t\t\t--%s) words=\"", o->name);
				for (const char *at = o->choices; *at; at++)
					fputc(*at == '|' ? ' ' : *at, out);
				fputs("\" ;;\n", out);
			}
		}
		fputs("\t\t\t*) words=\"", out);
		for (const struct cli_option *o = options; o->name; o++)
			fprintf(out, "--%s ", o->name);
		fputs("--help\" ;;\n\t\t\tesac ;;\n", out);
	}
	fputs("\t\tesac\n\tfi\n"
	      "\tif [ \"${word#-}\" = \"$word\" ] && [ \"$COMP_CWORD\" -gt 1 ] && [ "
	      "\"${words#--}\" != \"$words\" ]; then\n"
	      "\t\tCOMPREPLY=($(compgen -f -- \"$word\"))\n"
	      "\telse\n\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n\tfi\n"
	      "}\ncomplete -o filenames -F _profuse profuse\n",
	    out);
}
