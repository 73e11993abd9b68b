/* screen.c: see screen.h. */
#include "screen.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/clock.h"
#include "interrupts.h"

enum { WIDTH = 80, HEIGHT = 24 }; /* of a terminal that does not tell */

#define SECOND_SCREEN "\033[?1049h\033[?25l" /* and no cursor on it */
#define FIRST_SCREEN "\033[?25h\033[?1049l"
#define TO_TOP "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"
#define PLAIN "\033[0m"

bool
cli_screen_possible(void)
{
	const char *kind = getenv("TERM");

	return isatty(STDOUT_FILENO) && kind && *kind && strcmp(kind, "dumb") != 0;
}

bool
cli_screen_colors(void)
{
	const char *no = getenv("NO_COLOR");

	return !no || !*no;
}

/* Keys come one by one and are not shown; Ctrl-C stays a signal, Ctrl-Z would leave the screen as it is. */
static void
take_keys(struct cli_screen *s)
{
	struct termios raw;

	s->keys = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &s->before) == 0;
	if (!s->keys)
		return;
	raw = s->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	raw.c_cc[VSUSP] = _POSIX_VDISABLE;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

void
cli_screen_open(struct cli_screen *s)
{
	*s = (struct cli_screen){
	    .interrupts = cli_catch_interrupts(), .colors = cli_screen_colors()};
	take_keys(s);
	fputs(SECOND_SCREEN, stdout);
	fflush(stdout);
}

void
cli_screen_close(struct cli_screen *s)
{
	fputs(FIRST_SCREEN, stdout);
	fflush(stdout);
	if (s->keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &s->before);
	if (s->interrupts >= 0)
		close(s->interrupts);
}

/* How many bytes of a line fit into so many columns: colours take none, a character of UTF-8 one. */
static size_t
fitting(const char *line, size_t size, size_t columns)
{
	size_t i = 0, width = 0;

	while (i < size) {
		size_t from = i++;
		if (line[from] == '\033') {
			while (i < size && line[i - 1] != 'm')
				i++;
			continue;
		}
		while (i < size && ((unsigned char)line[i] & 0xC0) == 0x80)
			i++;
		if (++width > columns)
			return from;
	}
	return size;
}

void
cli_screen_draw(const struct cli_screen *s, const char *text, size_t size)
{
	struct winsize room = {0};
	const char *end = text + size;
	size_t width = WIDTH, height = HEIGHT;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &room) == 0 && room.ws_col && room.ws_row) {
		width = room.ws_col;
		height = room.ws_row;
	}
	fputs(TO_TOP, stdout);
	for (size_t line = 0; text < end && line < height; line++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((stop ? stop : end) - text);

		if (line) /* none behind the last: that would scroll */
			fputs("\r\n", stdout);
		fwrite(text, 1, fitting(text, length, width), stdout);
		fputs(s->colors ? PLAIN CLEAR_LINE : CLEAR_LINE, stdout);
		text = stop ? stop + 1 : end;
	}
	fputs(CLEAR_BELOW, stdout);
	fflush(stdout);
}

/* What was typed; a terminal that is gone wants us to leave, too. */
static bool
asks_to_leave(void)
{
	char keys[64];
	ssize_t n = read(STDIN_FILENO, keys, sizeof keys);

	return n <= 0 || memchr(keys, 'q', (size_t)n) || memchr(keys, 'Q', (size_t)n);
}

bool
cli_screen_wait(struct cli_screen *s, double seconds)
{
	double end = pf_clock_seconds(CLOCK_MONOTONIC) + seconds;

	while (!s->leaving) {
		double left = end - pf_clock_seconds(CLOCK_MONOTONIC);
		struct pollfd from[] = {{.fd = s->interrupts, .events = POLLIN},
		    {.fd = s->keys ? STDIN_FILENO : -1, .events = POLLIN}};
		int n = poll(from, 2, left > 0 ? (int)(left * 1000) + 1 : 0);

		if (n == 0)
			break;
		s->leaving = n > 0 && (from[0].revents || (from[1].revents && asks_to_leave()));
	}
	return s->leaving;
}
