"""Keras' contract: a `tf_keras.Model` of an encoder, and a space of them for KerasTuner."""
