import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.PrintStream;
import java.util.HashMap;
import java.util.Map;
import org.HdrHistogram.EncodableHistogram;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogReader;

/**
 * What HdrHistogram itself makes of a .hlog: per tag its intervals, count and quantiles in nanoseconds, and its own
 * percentile table (milliseconds) into FOLDER/TAG.hgrm, which ours is compared with.
 *
 *     java -cp /usr/share/java/hdrhistogram.jar HdrCheck.java FILE.hlog FOLDER
 */
public class HdrCheck {
    public static void main(String[] arguments) throws Exception {
        Map<String, Histogram> sums = new HashMap<>();
        Map<String, Integer> intervals = new HashMap<>();
        HistogramLogReader reader = new HistogramLogReader(new File(arguments[0]));
        EncodableHistogram next;
        while ((next = reader.nextIntervalHistogram()) != null) {
            Histogram one = (Histogram) next;
            String tag = one.getTag() == null ? "" : one.getTag();
            if (sums.containsKey(tag)) {
                sums.get(tag).add(one);
            } else {
                sums.put(tag, one.copy());
            }
            intervals.merge(tag, 1, Integer::sum);
        }
        for (String tag : sums.keySet()) {
            Histogram h = sums.get(tag);
            System.out.printf("%s intervals=%d count=%d p50=%d p99=%d max=%d start=%.3f%n", tag, intervals.get(tag),
                h.getTotalCount(), h.getValueAtPercentile(50), h.getValueAtPercentile(99), h.getMaxValue(),
                reader.getStartTimeSec());
            ByteArrayOutputStream table = new ByteArrayOutputStream();
            h.outputPercentileDistribution(new PrintStream(table), 5, 1e6);
            try (PrintStream out = new PrintStream(new File(arguments[1], tag + ".hgrm"))) {
                out.write(table.toByteArray());
            }
        }
    }
}
