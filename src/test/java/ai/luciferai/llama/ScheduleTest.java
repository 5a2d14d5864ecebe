package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.luciferai.llama.core.InvalidOptionException;
import org.junit.jupiter.api.Test;

/** Values as transformers' get_linear_schedule_with_warmup and get_cosine_schedule_with_warmup give them. */
class ScheduleTest {

    @Test
    void warmsUpThenFalls() {
        var linear = new Schedule(1f, Schedule.Shape.LINEAR, 2);
        assertEquals(0f, linear.at(0, 10));
        assertEquals(0.5f, linear.at(1, 10));
        assertEquals(1f, linear.at(2, 10));
        assertEquals(0.5f, linear.at(6, 10));
        var cosine = new Schedule(1f, Schedule.Shape.COSINE, 0.2f);
        assertEquals(1f, cosine.at(2, 10));
        assertEquals(0.5f, cosine.at(6, 10), 1e-6f);
        assertEquals(1f, new Schedule(1f, Schedule.Shape.CONSTANT, 0).at(9, 10));
    }

    @Test
    void badValuesAreRefused() {
        assertThrows(InvalidOptionException.class, () -> Schedule.Shape.parse("cosin"));
        assertThrows(InvalidOptionException.class, () -> Schedule.defaults().withLearningRate(0));
    }
}
