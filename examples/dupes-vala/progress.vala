// SPDX-License-Identifier: LGPL-2.1-or-later

// The progress bar.  Workers only add to counters; a timer on the main loop looks
// at them ten times a second and draws.  So a million files cost a million additions
// and not a million redraws, and nothing is drawn off the main thread.
class Dupes.Progress {
    const uint DRAW_INTERVAL_MS = 100;
    const int BAR_WIDTH = 24;

    bool visible;
    uint timer = 0;
    int drawn = 0;                              // columns on the screen now
    string title;
    Timer clock = new Timer ();
    uint64 n_total;                             // bytes; 0: not known

    Mutex mutex;                                // guards the counters
    uint64 n_files;
    uint64 n_bytes;

    public Progress (bool visible) {
        this.visible = visible;
    }

    // A new stage begins.  Nobody may be counting for the last one any more.
    public void begin (string title, uint64 n_total) {
        this.title = title;
        this.n_total = n_total;
        n_files = 0;
        n_bytes = 0;
        clock.start ();
        if (visible)
            update ();
        if (visible && timer == 0)
            timer = Timeout.add (DRAW_INTERVAL_MS, update);
    }

    public void end () {
        if (timer != 0)
            Source.remove (timer);
        timer = 0;
        clear ();
    }

    // One line on standard error about something that could not be read, not into the bar.
    public void error (Problem problem) {
        clear ();
        stderr.printf ("dupes: %s: %s\n", Text.name (problem.path), problem.message);
    }

    // Any thread.
    public void add (uint64 n_files, uint64 n_bytes) {
        mutex.lock ();
        this.n_files += n_files;
        this.n_bytes += n_bytes;
        mutex.unlock ();
    }

    bool update () {
        double seconds = double.max (clock.elapsed (), 1e-3);
        uint64 files, bytes;

        mutex.lock ();
        files = n_files;
        bytes = n_bytes;
        mutex.unlock ();
        draw ("%-10s %s".printf (title, n_total == 0
            ? "%s files, %s, %.0f files/s".printf (files.to_string (), Text.bytes (bytes), files / seconds)
            : bar (double.min (1.0, bytes / (double) n_total), bytes, seconds)));
        return Source.CONTINUE;
    }

    static string bar (double fraction, uint64 bytes, double seconds) {
        var line = new StringBuilder ("[");

        for (int i = 0; i < BAR_WIDTH; i++)
            line.append_c (i < (int) (fraction * BAR_WIDTH) ? '#' : '.');
        line.append_printf ("] %3.0f %%  %s/s", fraction * 100, Text.bytes ((uint64) (bytes / seconds)));
        if (bytes > 0) {
            uint left = (uint) (seconds * (1.0 - fraction) / double.max (fraction, 1e-6));
            line.append_printf ("  %u:%02u left", left / 60, left % 60);
        }
        return line.str;
    }

    void clear () {
        if (drawn > 0)
            draw ("");
    }

    void draw (string text) {
        int length = text.char_count ();

        stderr.printf ("\r%s%s%s", text, string.nfill (int.max (0, drawn - length), ' '), text == "" ? "\r" : "");
        stderr.flush ();
        drawn = length;
    }
}
