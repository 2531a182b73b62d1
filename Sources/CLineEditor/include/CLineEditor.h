#ifndef CLINEEDITOR_H
#define CLINEEDITOR_H
#include <stdbool.h>
#include <stddef.h>

/// A line editor with a history, on the terminal that standard input and output are.
typedef struct CLineEditor CLineEditor;

/// Asked when the user wants a word completed: the line, how much of it, and where the cursor stands, in bytes. It answers by
/// `CLineEditor_replace` and `CLineEditor_show` before it returns.
typedef void (*CLineEditor_complete)(CLineEditor *editor, void *context, const char *line, size_t count, size_t cursor);

/// How the reading of a line ended.
typedef enum {
  CLineEditor_line = 1,
  /// Ctrl-D on an empty line, or the terminal is gone.
  CLineEditor_end = 2,
  /// Ctrl-C: the line is thrown away.
  CLineEditor_interrupted = 3,
} CLineEditor_outcome;

/// An editor by libedit, which the first call loads: a command that reads no lines neither needs nor loads it.
///
/// NULL where it is missing or the terminal is none; `error`, cut at `errorCapacity` and always terminated, says why.
CLineEditor *CLineEditor_open(
    const char *program, size_t historyCountMax, CLineEditor_complete complete, void *context, char *error,
    size_t errorCapacity);
void CLineEditor_close(CLineEditor *editor);

/// Whether Ctrl-C and its like are signals on the terminal. While an editor stands they are keys, unless this is asked for: a signal in the moment
/// between a prompt and the reading of its line would be nobody's.
void CLineEditor_setSignals(bool areOn);

/// Reads a line. `*line` is valid until the next call, its newline cut off.
CLineEditor_outcome CLineEditor_read(CLineEditor *editor, const char *prompt, const char **line, size_t *count);

/// Puts `text` in place of the `before` characters that stand before the cursor.
void CLineEditor_replace(CLineEditor *editor, int before, const char *text);
/// Shows text below the line that is edited; it is drawn anew afterwards.
void CLineEditor_show(CLineEditor *editor, const char *text);

/// Adds a line to the history; one that equals the last is not added.
void CLineEditor_remember(CLineEditor *editor, const char *line);
#endif
