/* log.c: see log.h. */
#include "log.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/quote.h"

enum { LINE_MAX_SIZE = 64 << 10 };

static const char *const levels[] = {"debug", "info", "warn", "error"};

/* RFC 3339, UTC, milliseconds. */
static void
write_time(char *text, size_t room)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(text, room, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, room - n, ".%03ldZ", now.tv_nsec / 1000000);
}

/* Plain words need no quotes in logfmt. */
static bool
is_plain(const char *text)
{
	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text <= ' ' || *text == '"' || *text == '=' || *text == '\\' ||
		    (unsigned char)*text >= 0x7f)
			return false;
	}
	return true;
}

static void
add_number(struct pf_buffer *line, double number)
{
	if (!isfinite(number))
		pf_buffer_string(line, "null");
	else if (number == floor(number) && fabs(number) < 1e15)
		pf_buffer_printf(line, "%.0f", number);
	else
		pf_buffer_printf(line, "%.6g", number);
}

static void
add_pair(struct pf_buffer *line, bool json, const struct pf_log_pair *pair)
{
	if (!pair->numeric && !pair->text)
		return;
	if (line->size)
		pf_buffer_byte(line, json ? ',' : ' ');
	else if (json)
		pf_buffer_byte(line, '{');
	if (json)
		pf_quote_json(line, pair->key, strlen(pair->key));
	else
		pf_buffer_string(line, pair->key);
	pf_buffer_byte(line, json ? ':' : '=');
	if (pair->numeric)
		add_number(line, pair->number);
	else if (!json && is_plain(pair->text))
		pf_buffer_string(line, pair->text);
	else
		pf_quote_json(line, pair->text, strlen(pair->text));
}

void
pf_log_write(const struct pf_log *log, enum pf_log_level level, const char *message,
    const struct pf_log_pair *pairs)
{
	struct pf_buffer line;
	char now[40];

	if (level < log->least)
		return;
	write_time(now, sizeof now);
	pf_buffer_init(&line, LINE_MAX_SIZE);
	add_pair(&line, log->json, &(struct pf_log_pair){"ts", now});
	add_pair(&line, log->json, &(struct pf_log_pair){"level", levels[level]});
	add_pair(&line, log->json, &(struct pf_log_pair){"msg", message});
	for (; pairs->key; pairs++)
		add_pair(&line, log->json, pairs);
	pf_buffer_string(&line, log->json ? "}\n" : "\n");
	/* a log that can't be written to has nobody to tell */
	if (!line.failed && write(log->fd, line.bytes, line.size) < 0)
		line.failed = true;
	pf_buffer_release(&line);
}
