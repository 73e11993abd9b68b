/*
 * screen.h: a terminal that shows one thing, drawn again and again.
 *
 * It draws on the terminal's second screen, where nothing scrolls: lines are cut to
 * its width and height. What was on the terminal before is there again at the end.
 */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

struct cli_screen {
	bool keys; /* standard input is a terminal: q leaves */
	bool colors;
	int interrupts; /* descriptor; -1: none */
	bool leaving;
	struct termios before;
};

/* Whether standard output is a terminal that can move its cursor. */
bool cli_screen_possible(void);
/* Whether NO_COLOR (https://no-color.org) leaves colours to us. */
bool cli_screen_colors(void);

void cli_screen_open(struct cli_screen *s);
/* Shows the text instead of what was there; it may hold colours ("\033[…m"), which take no room. */
void cli_screen_draw(const struct cli_screen *s, const char *text, size_t size);
/* Waits for so long at most; true as soon as the user wants to leave, by q, Ctrl-C or a signal. */
bool cli_screen_wait(struct cli_screen *s, double seconds);
void cli_screen_close(struct cli_screen *s);

#endif
