#include "CLineEditor.h"

#include "CShimsLibrary.h"
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

// Declared here as histedit.h of libedit 3.1 has them, of which the soname promises that they stay: a link would load the library into
// every command.
typedef struct editline EditLine;
typedef struct history History;
typedef struct {
  const char *buffer, *cursor, *lastchar;
} LineInfo;
typedef struct {
  int num;
  const char *str;
} HistEvent;
enum { CC_EOF = 2, CC_REFRESH = 4, CC_REDISPLAY = 8 };
enum {
  EL_PROMPT = 0, EL_EDITOR = 2, EL_SIGNAL = 3, EL_BIND = 4, EL_SETTY = 8, EL_ADDFN = 9, EL_HIST = 10
};
enum { H_SETSIZE = 1, H_ENTER = 10, H_SETUNIQUE = 20 };

#define FUNCTIONS(F)                                                                                                   \
  F(EditLine *, el_init, (const char *, FILE *, FILE *, FILE *))                                                       \
  F(void, el_end, (EditLine *))                                                                                        \
  F(const char *, el_gets, (EditLine *, int *))                                                                        \
  F(int, el_set, (EditLine *, int, ...))                                                                               \
  F(int, el_source, (EditLine *, const char *))                                                                        \
  F(const LineInfo *, el_line, (EditLine *))                                                                           \
  F(int, el_insertstr, (EditLine *, const char *))                                                                     \
  F(void, el_deletestr, (EditLine *, int))                                                                             \
  F(History *, history_init, (void))                                                                                   \
  F(void, history_end, (History *))                                                                                    \
  F(int, history, (History *, HistEvent *, int, ...))

struct CLineEditor {
#define MEMBER(result, name, parameters) result(*name) parameters;
  FUNCTIONS(MEMBER)
#undef MEMBER
  EditLine *edit;
  History *past;
  const char *prompt;
  CLineEditor_complete complete;
  void *context;
  bool wasInterrupted, wasShown;
};

static bool load(CLineEditor *editor, char *error, size_t errorCapacity) {
#define LOOK_UP(result, name, parameters) {#name, &editor->name},
  const CShims_Function functions[] = {FUNCTIONS(LOOK_UP)};
#undef LOOK_UP
  return CShims_loadLibrary("libedit.so.2", functions, sizeof functions / sizeof *functions, error, errorCapacity);
}

// A terminal has one editor: the one whose line is being read, which libedit's callbacks are for.
static CLineEditor *current;

static const char *prompt(EditLine *edit) {
  (void)edit;
  return current->prompt;
}

static unsigned char complete(EditLine *edit, int key) {
  (void)key;
  const LineInfo *line = current->el_line(edit);
  current->wasShown = false;
  current->complete(
      current, current->context, line->buffer, (size_t)(line->lastchar - line->buffer), (size_t)(line->cursor - line->buffer));
  return current->wasShown ? CC_REDISPLAY : CC_REFRESH;
}

static unsigned char interrupt(EditLine *edit, int key) {
  (void)edit;
  (void)key;
  current->wasInterrupted = true;
  fputs("^C\n", stdout);
  fflush(stdout);
  return CC_EOF;
}

static void set_up(CLineEditor *editor) {
  EditLine *edit = editor->edit;
  editor->el_set(edit, EL_SIGNAL, 0);
  editor->el_set(edit, EL_PROMPT, prompt);
  editor->el_set(edit, EL_EDITOR, "emacs");
  editor->el_set(edit, EL_HIST, editor->history, editor->past);
  editor->el_set(edit, EL_ADDFN, "varve-complete", "Complete the word", complete);
  editor->el_set(edit, EL_ADDFN, "varve-interrupt", "Throw the line away", interrupt);
  editor->el_set(edit, EL_BIND, "^I", "varve-complete", NULL);
  editor->el_set(edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
  // The user's own bindings, ~/.editrc.
  editor->el_source(edit, NULL);
  // Else libedit turns signals on, while a line is edited and between lines.
  editor->el_set(edit, EL_SETTY, "-d", "-isig", NULL);
  // Between lines Ctrl-D is a byte like any other, which waits for the next line: the terminal would make a NUL of it.
  editor->el_set(edit, EL_SETTY, "-x", "-isig", "eof=", NULL);
  editor->el_set(edit, EL_BIND, "^C", "varve-interrupt", NULL);
}

CLineEditor *CLineEditor_open(
    const char *program, size_t historyCountMax, CLineEditor_complete complete, void *context, char *error,
    size_t errorCapacity) {
  // Names and strings are UTF-8 whatever the terminal's language is.
  setlocale(LC_CTYPE, "");
  if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) setlocale(LC_CTYPE, "C.UTF-8");
  CLineEditor *editor = calloc(1, sizeof *editor);
  if (editor == NULL || !load(editor, error, errorCapacity)) {
    if (editor == NULL) snprintf(error, errorCapacity, "no memory");
    free(editor);
    return NULL;
  }
  editor->complete = complete;
  editor->context = context;
  editor->prompt = "";
  // Before libedit looks at the terminal: as it is then it stays between lines.
  CLineEditor_setSignals(false);
  editor->past = editor->history_init();
  editor->edit = editor->el_init(program, stdin, stdout, stderr);
  if (editor->edit == NULL || editor->past == NULL) {
    snprintf(error, errorCapacity, "libedit cannot be set up on this terminal");
    CLineEditor_close(editor);
    return NULL;
  }
  HistEvent event;
  editor->history(editor->past, &event, H_SETSIZE, (int)historyCountMax);
  editor->history(editor->past, &event, H_SETUNIQUE, 1);
  current = editor;
  set_up(editor);
  return editor;
}

void CLineEditor_setSignals(bool areOn) {
  struct termios modes;
  if (tcgetattr(STDIN_FILENO, &modes) != 0) return;
  modes.c_lflag = areOn ? modes.c_lflag | ISIG : modes.c_lflag & ~(tcflag_t)ISIG;
  tcsetattr(STDIN_FILENO, TCSANOW, &modes);
}

void CLineEditor_close(CLineEditor *editor) {
  if (editor->edit != NULL) editor->el_end(editor->edit);
  if (editor->past != NULL) editor->history_end(editor->past);
  if (current == editor) current = NULL;
  CLineEditor_setSignals(true);
  free(editor);
}

CLineEditor_outcome CLineEditor_read(CLineEditor *editor, const char *prompt, const char **line, size_t *count) {
  current = editor;
  editor->prompt = prompt;
  editor->wasInterrupted = false;
  int length = 0;
  const char *text = editor->el_gets(editor->edit, &length);
  if (editor->wasInterrupted) return CLineEditor_interrupted;
  if (text == NULL || length <= 0) return CLineEditor_end;
  while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r')) length--;
  *line = text;
  *count = (size_t)length;
  return CLineEditor_line;
}

void CLineEditor_replace(CLineEditor *editor, int before, const char *text) {
  if (before > 0) editor->el_deletestr(editor->edit, before);
  editor->el_insertstr(editor->edit, text);
}

void CLineEditor_show(CLineEditor *editor, const char *text) {
  editor->wasShown = true;
  fputc('\n', stdout);
  fputs(text, stdout);
  fputc('\n', stdout);
  fflush(stdout);
}

void CLineEditor_remember(CLineEditor *editor, const char *line) {
  HistEvent event;
  editor->history(editor->past, &event, H_ENTER, line);
}
