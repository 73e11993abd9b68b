/* help.c: what people read in a terminal; see help.h. */
#include "help.h"

#include <string.h>

#include "commands.h"

enum { TEXT_WIDTH = 80, OPTION_COLUMN = 30 };

/*
 * Prints words wrapped at TEXT_WIDTH, the first line starting at column `at`,
 * later ones at `indent`; an empty line in the text starts a paragraph.
 */
static void
wrap(FILE *out, const char *text, int at, int indent)
{
	while (*text) {
		int size = (int)strcspn(text, " \n"), blanks = (int)strspn(text + size, " ");

		fprintf(out, "%.*s", size, text);
		at += size;
		text += size + blanks;
		if (text[0] == '\n' && text[1] == '\n') {
			fprintf(out, "\n\n%*s", indent, "");
			at = indent;
			text += 2;
			continue;
		}
		text += *text == '\n';
		if (!*text)
			break;
		if (at + 1 + (int)strcspn(text, " \n") > TEXT_WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			at = indent;
		} else {
			fputc(' ', out);
			at++;
		}
	}
	fputc('\n', out);
}

/* Examples come as "command\n  what it does\n": shown two columns in. */
static void
indented(FILE *out, const char *lines)
{
	while (*lines) {
		int size = (int)strcspn(lines, "\n");

		fprintf(out, "  %.*s\n", size, lines);
		lines += size + (lines[size] == '\n');
	}
}

static void
option_help(FILE *out, const struct cli_option *o)
{
	int at = fprintf(out, "  ");

	at += o->letter ? fprintf(out, "-%c, ", o->letter) : fprintf(out, "    ");
	at += fprintf(out, o->negatable ? "--[no-]%s" : "--%s", o->name);
	if (o->argument)
		at += fprintf(out, " %s", o->argument);
	if (at + 2 > OPTION_COLUMN) {
		fputc('\n', out);
		at = 0;
	}
	fprintf(out, "%*s", OPTION_COLUMN - at, "");
	wrap(out, o->help, OPTION_COLUMN, OPTION_COLUMN);
}

void
cli_help_command(FILE *out, const struct cli_command *c)
{
	fprintf(out, "usage: profuse %s %s\n\n", c->name, c->usage);
	wrap(out, c->description, 0, 0);
	fputs("\noptions:\n", out);
	for (const struct cli_option *o = c->options; o->name; o++)
		option_help(out, o);
	fputs("  -h, --help                  this text\n", out);
	if (c->examples) {
		fputs("\nexamples:\n", out);
		indented(out, c->examples);
	}
	fputs(
	    "\nexit status: 0 done, 1 the answer is no, 2 wrong usage, 3 bad or unmatched input,\n"
	    "4 unreachable or not writable, 5 inconclusive\n",
	    out);
}

void
cli_help_overview(FILE *out)
{
	fputs(
	    "usage: profuse COMMAND [OPTION]… [ARGUMENT]…\n\n"
	    "Production pprof profiles in, faster and smaller services out, every gain proven.\n\n",
	    out);
	for (size_t i = 0; cli_commands[i]; i++)
		fprintf(out, "  %-9s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
	fputs(
	    "\nprofuse COMMAND --help explains one; profuse --version prints the version.\n", out);
}
